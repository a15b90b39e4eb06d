/* The list that completes the name of a person in a field (a combobox). */

import { selectOption } from "../kit/list.js";
import { makeAvatar } from "../kit/signs.js";

const ASK_AFTER_MS = 120;

export class PeopleListView {
  #input;
  #list;
  #find;
  #onFound;
  #onTake;
  #choices = [];
  #chosen = 0;
  #asking;
  #asked = 0;

  /** `find(text)` returns the people to choose from, each as `{id, name, username}`; `onFound(people)`: they are shown; `onTake(person)`: one was chosen. */
  constructor({ input, list, find, onFound, onTake }) {
    this.#input = input;
    this.#list = list;
    this.#find = find;
    this.#onFound = onFound;
    this.#onTake = onTake;
    const about = { role: "combobox", "aria-expanded": "false", "aria-controls": list.id, "aria-autocomplete": "list" };
    for (const [name, value] of Object.entries(about)) input.setAttribute(name, value);
    input.addEventListener("input", () => this.askSoon());
    list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
    list.addEventListener("click", ({ target }) => {
      const option = target.closest("[role=option]");
      if (option) this.#take([...list.children].indexOf(option));
    });
  }

  /** The place of the chosen person in the list. */
  get chosen() {
    return this.#chosen;
  }

  /** Handle a key; `isTaking`: it takes the chosen person. Returns whether it did anything. */
  press(meaning, isTaking) {
    const isOpen = this.#choices.length > 0;
    const step = { ArrowDown: 1, ArrowUp: -1 }[meaning];
    if (step && isOpen) this.#choose((this.#chosen + step + this.#choices.length) % this.#choices.length);
    else if (step) this.askSoon();
    else if (isOpen && isTaking) this.#take(this.#chosen);
    else if (isOpen && meaning === "Escape") this.close();
    else return false;
    return true;
  }

  askSoon() {
    clearTimeout(this.#asking);
    this.#asking = setTimeout(() => this.#ask(), ASK_AFTER_MS);
  }

  close() {
    clearTimeout(this.#asking);
    this.#asked += 1;
    this.#choices = [];
    this.#list.hidden = true;
    this.#list.replaceChildren();
    this.#input.setAttribute("aria-expanded", "false");
    this.#input.removeAttribute("aria-activedescendant");
  }

  #take(place) {
    this.#onTake(this.#choices[place]);
    this.close();
    this.#input.focus();
  }

  async #ask() {
    this.#asked += 1;
    const asked = this.#asked;
    const found = await this.#find(this.#input.value.trim());
    if (asked !== this.#asked || document.activeElement !== this.#input) return;
    this.#choices = found;
    this.#list.replaceChildren(...found.map(makeOption));
    this.#list.hidden = found.length === 0;
    this.#input.setAttribute("aria-expanded", String(found.length > 0));
    this.#onFound(found);
    this.#choose(0);
  }

  #choose(place) {
    this.#chosen = place;
    selectOption(this.#list, this.#input, place);
  }
}

/** A person among the suggestions. */
function makeOption({ id, name, username }, place) {
  const option = document.createElement("li");
  option.id = `recipients-${place}`;
  option.className = "completion__item";
  option.setAttribute("role", "option");
  option.append(makeAvatar({ id, name }, "small"), makeName("completion__name", name), " ", makeName("completion__more", username));
  return option;
}

export function makeName(className, text) {
  const element = document.createElement("bdi");
  element.className = className;
  element.textContent = text;
  return element;
}
