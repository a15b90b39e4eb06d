/* The field "To" of a new conversation: the chosen people as chips, and a list that completes the typed name. */

import { count } from "../../state/kit/text.js";
import { onKeys } from "../kit/keys.js";
import { makeName, PeopleListView } from "./people_list.js";

export class RecipientsView {
  #recipients;
  #input;
  #hidden;
  #chips;
  #status;
  #list;

  /** `findPeople(text)` returns people, each as `{id, name, username}`. */
  constructor({ root, recipients, findPeople }) {
    this.#recipients = recipients;
    this.#input = root.querySelector("[data-recipients-text]");
    this.#chips = root.querySelector("[data-recipients-chips]");
    this.#status = root.querySelector("[data-recipients-status]");
    this.#list = new PeopleListView({
      input: this.#input,
      list: root.querySelector("[data-recipients-list]"),
      find: async (text) => recipients.choicesFrom(await findPeople(text)),
      onFound: (found) => this.#sayFound(found),
      onTake: (person) => this.#take(person),
    });
    this.#hidden = makeHidden(this.#input);
    this.#describe();
    this.#listen(root);
    this.#recipients.addAll(this.#input.value);
    this.#input.value = "";
    this.#show();
  }

  #describe() {
    this.#input.placeholder = "Name";
    this.#input.form.querySelector("[data-recipients-live]").hidden = false;
    this.#input.form.querySelector("[data-recipients-plain]").hidden = true;
  }

  #listen(root) {
    const { form } = this.#input;
    onKeys(this.#input, (meaning, event) => this.#press(meaning, event));
    // After a choice, the list waits for a key: the next step may be the button. It stays open without the focus, so that the button keeps its place under a finger.
    this.#input.addEventListener("focus", () => this.#recipients.people.length || this.#list.askSoon());
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
    const isTaking = meaning === "," || (meaning === "Enter" && this.#mayTake);
    if (this.#list.press(meaning, isTaking)) event.preventDefault();
    else if (meaning === "Backspace" && !this.#input.value && this.#recipients.people.length) {
      this.#remove(this.#recipients.removeLast());
      event.preventDefault();
    }
  }

  /** Without a typed name, Enter starts the conversation, if anybody is chosen and no arrow key was pressed. */
  get #mayTake() {
    return this.#input.value.trim() !== "" || this.#list.chosen > 0 || this.#recipients.people.length === 0;
  }

  #take(person) {
    this.#input.value = "";
    if (this.#recipients.add(person)) this.#say(`${person.name} was added.`);
    this.#show();
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

  #sayFound({ length }) {
    if (this.#input.value) this.#say(length ? count(length, "suggestion") : "Nobody found.", { isShown: !length });
    else this.#say("");
  }

  /** What is not shown is still announced by screen readers. */
  #say(text, { isShown = false } = {}) {
    this.#status.textContent = text;
    this.#status.classList.toggle("visually-hidden", !isShown);
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
