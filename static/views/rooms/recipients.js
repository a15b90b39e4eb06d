/* The field "To" of a new conversation: the chosen people as chips, and a list that completes the typed name (a combobox). */

import { count } from "../../state/kit/text.js";
import { onKeys } from "../kit/keys.js";
import { selectOption } from "../kit/list.js";
import { makeAvatar } from "../kit/signs.js";

const ASK_AFTER_MS = 120;

export class RecipientsView {
  #recipients;
  #findPeople;
  #input;
  #hidden;
  #chips;
  #list;
  #status;
  #choices = [];
  #chosen = 0;
  #asking;
  #asked = 0;

  /** `findPeople(text)` returns people, each as `{id, name, username}`. */
  constructor({ root, recipients, findPeople }) {
    this.#recipients = recipients;
    this.#findPeople = findPeople;
    this.#input = root.querySelector("[data-recipients-text]");
    this.#chips = root.querySelector("[data-recipients-chips]");
    this.#list = root.querySelector("[data-recipients-list]");
    this.#status = root.querySelector("[data-recipients-status]");
    this.#hidden = makeHidden(this.#input);
    this.#describe();
    this.#listen(root);
    this.#recipients.addAll(this.#input.value);
    this.#input.value = "";
    this.#show();
  }

  #describe() {
    const about = {
      role: "combobox",
      "aria-expanded": "false",
      "aria-controls": this.#list.id,
      "aria-autocomplete": "list",
    };
    for (const [name, value] of Object.entries(about)) this.#input.setAttribute(name, value);
    this.#input.placeholder = "Name";
    this.#input.form.querySelector("[data-recipients-live]").hidden = false;
    this.#input.form.querySelector("[data-recipients-plain]").hidden = true;
  }

  #listen(root) {
    const { form } = this.#input;
    onKeys(this.#input, (meaning, event) => this.#press(meaning, event));
    this.#input.addEventListener("input", () => this.#askSoon());
    // After a choice, the list waits for a key: the next step may be the button. It stays open without the focus, so that the button keeps its place under a finger.
    this.#input.addEventListener("focus", () => this.#recipients.people.length || this.#askSoon());
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
    this.#list.addEventListener("click", ({ target }) => {
      const option = target.closest("[role=option]");
      if (option) this.#take([...this.#list.children].indexOf(option));
    });
    this.#chips.addEventListener("click", ({ target }) => {
      const chip = target.closest("button") && target.closest("li");
      if (chip) this.#remove(this.#recipients.remove([...this.#chips.children].indexOf(chip)));
    });
    root.addEventListener("click", ({ target }) => target === root && this.#input.focus());
    form.addEventListener("submit", () => {
      this.#hidden.value = this.#recipients.textWith(this.#input.value);
    });
  }

  #press(meaning, event) {
    const isOpen = this.#choices.length > 0;
    const step = { ArrowDown: 1, ArrowUp: -1 }[meaning];
    if (step && isOpen) this.#choose((this.#chosen + step + this.#choices.length) % this.#choices.length);
    else if (step) this.#askSoon();
    else if (isOpen && (meaning === "," || (meaning === "Enter" && this.#mayTake))) this.#take(this.#chosen);
    else if (isOpen && meaning === "Escape") this.#close();
    else if (meaning === "Backspace" && !this.#input.value && this.#recipients.people.length) this.#remove(this.#recipients.removeLast());
    else return;
    event.preventDefault();
  }

  /** Without a typed name, Enter starts the conversation, if anybody is chosen and no arrow key was pressed. */
  get #mayTake() {
    return this.#input.value.trim() !== "" || this.#chosen > 0 || this.#recipients.people.length === 0;
  }

  #take(place) {
    const person = this.#choices[place];
    this.#input.value = "";
    if (this.#recipients.add(person)) this.#say(`${person.name} was added.`);
    this.#show();
    this.#close();
    this.#input.focus();
  }

  #remove({ name }) {
    this.#say(`${name} was removed.`);
    this.#show();
    this.#input.focus();
  }

  #show() {
    const { people, isFull } = this.#recipients;
    this.#chips.replaceChildren(...people.map(makeChip));
    this.#chips.hidden = people.length === 0;
    this.#input.readOnly = isFull;
  }

  #askSoon() {
    clearTimeout(this.#asking);
    this.#asking = setTimeout(() => this.#ask(), ASK_AFTER_MS);
  }

  async #ask() {
    this.#asked += 1;
    const asked = this.#asked;
    const found = this.#recipients.choicesFrom(await this.#findPeople(this.#input.value.trim()));
    if (asked !== this.#asked || document.activeElement !== this.#input) return;
    this.#choices = found;
    this.#list.replaceChildren(...found.map(makeOption));
    this.#list.hidden = found.length === 0;
    this.#input.setAttribute("aria-expanded", String(found.length > 0));
    if (this.#input.value) this.#say(found.length ? count(found.length, "suggestion") : "Nobody found.", { isShown: !found.length });
    else this.#say("");
    this.#choose(0);
  }

  /** What is not shown is still announced by screen readers. */
  #say(text, { isShown = false } = {}) {
    this.#status.textContent = text;
    this.#status.classList.toggle("visually-hidden", !isShown);
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

/** The field of the form; the visible field only has the name that is being typed. */
function makeHidden(input) {
  const hidden = document.createElement("input");
  hidden.type = "hidden";
  hidden.name = input.name;
  input.removeAttribute("name");
  input.form.append(hidden);
  return hidden;
}

function makeChip({ name }) {
  const chip = document.createElement("li");
  chip.className = "chip";
  const remove = document.createElement("button");
  remove.type = "button";
  remove.className = "chip__remove";
  remove.setAttribute("aria-label", `Remove ${name}`);
  remove.textContent = "×";
  chip.append(makeName("chip__name", name), remove);
  return chip;
}

/** A person among the suggestions. */
export function makeOption({ id, name, username }, place) {
  const option = document.createElement("li");
  option.id = `recipients-${place}`;
  option.className = "completion__item";
  option.setAttribute("role", "option");
  option.append(makeAvatar({ id, name }, "small"), makeName("completion__name", name), " ", makeName("completion__more", username));
  return option;
}

function makeName(className, text) {
  const element = document.createElement("bdi");
  element.className = className;
  element.textContent = text;
  return element;
}
