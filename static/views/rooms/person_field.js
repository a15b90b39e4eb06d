/* A field that takes the name of one person: a list completes it (a combobox), and the choice writes the user name. */

import { count } from "../../state/kit/text.js";
import { onKeys } from "../kit/keys.js";
import { selectOption } from "../kit/list.js";
import { makeOption } from "./recipients.js";

const ASK_AFTER_MS = 120;

export class PersonFieldView {
  #findPeople;
  #input;
  #list;
  #status;
  #choices = [];
  #chosen = 0;
  #asking;
  #asked = 0;

  /** `findPeople(text)` returns people, each as `{id, name, username}`. */
  constructor({ root, findPeople }) {
    this.#findPeople = findPeople;
    this.#input = root.querySelector("input");
    this.#list = root.querySelector("[role=listbox]");
    this.#status = root.querySelector("[role=status]");
    const about = { role: "combobox", "aria-expanded": "false", "aria-controls": this.#list.id, "aria-autocomplete": "list" };
    for (const [name, value] of Object.entries(about)) this.#input.setAttribute(name, value);
    this.#listen();
  }

  #listen() {
    onKeys(this.#input, (meaning, event) => this.#press(meaning, event));
    this.#input.addEventListener("input", () => this.#askSoon());
    this.#input.addEventListener("blur", () => this.#close());
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
    this.#list.addEventListener("click", ({ target }) => {
      const option = target.closest("[role=option]");
      if (option) this.#take([...this.#list.children].indexOf(option));
    });
  }

  #press(meaning, event) {
    const isOpen = this.#choices.length > 0;
    const step = { ArrowDown: 1, ArrowUp: -1 }[meaning];
    if (step && isOpen) this.#choose((this.#chosen + step + this.#choices.length) % this.#choices.length);
    else if (step) this.#askSoon();
    else if (isOpen && meaning === "Enter") this.#take(this.#chosen);
    else if (isOpen && meaning === "Escape") this.#close();
    else return;
    event.preventDefault();
  }

  #take(place) {
    const person = this.#choices[place];
    this.#input.value = person.username;
    this.#status.textContent = `${person.name} was chosen.`;
    this.#close();
    this.#input.focus();
  }

  #askSoon() {
    clearTimeout(this.#asking);
    this.#asking = setTimeout(() => this.#ask(), ASK_AFTER_MS);
  }

  async #ask() {
    this.#asked += 1;
    const asked = this.#asked;
    const found = await this.#findPeople(this.#input.value.trim().replace(/^@/, ""));
    if (asked !== this.#asked || document.activeElement !== this.#input) return;
    this.#choices = found;
    this.#list.replaceChildren(...found.map(makeOption));
    this.#list.hidden = found.length === 0;
    this.#input.setAttribute("aria-expanded", String(found.length > 0));
    this.#status.textContent = found.length ? count(found.length, "suggestion") : "Nobody has this name.";
    this.#choose(0);
  }

  #choose(place) {
    this.#chosen = place;
    selectOption(this.#list, this.#input, place);
  }

  #close() {
    clearTimeout(this.#asking);
    this.#asked += 1;
    this.#choices = [];
    this.#list.hidden = true;
    this.#list.replaceChildren();
    this.#input.setAttribute("aria-expanded", "false");
    this.#input.removeAttribute("aria-activedescendant");
  }
}
