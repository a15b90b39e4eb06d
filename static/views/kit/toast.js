/* A short confirmation of an action: screen readers announce it, and it disappears by itself. */

const SHOWN_MS = 3000;

export class Toast {
  #element = document.createElement("p");
  #timer;

  constructor(place) {
    this.#element.className = "toast";
    this.#element.setAttribute("role", "status");
    place.append(this.#element);
  }

  say(text) {
    clearTimeout(this.#timer);
    this.#element.textContent = text;
    this.#timer = setTimeout(() => {
      this.#element.textContent = "";
    }, SHOWN_MS);
  }
}
