/* The preview of a text: what its Markdown will look like, in the place of the field. The server renders it, and stores nothing. */

import { findProblemOf } from "../../state/live/api.js";
import { onKeys } from "./keys.js";

export class Preview {
  #field;
  #panel;
  #button;
  #read;
  #onProblem;
  #asked = 0;

  /** `read(text)` returns the HTML as `{html}`, and `show(panel, html)` shows it; `onProblem(text)`: the preview cannot be shown, and why. */
  constructor({ form, field, panel, button, read, show, onProblem }) {
    this.#field = field;
    this.#panel = panel;
    this.#button = button;
    this.#read = async (text) => show(panel, (await read(text)).html);
    this.#onProblem = onProblem;
    field.addEventListener("input", () => this.hide());
    onKeys(form, (meaning, event) => this.#press(meaning, event), { capture: true });
  }

  get isOpen() {
    return !this.#panel.hidden;
  }

  /** Show the preview, or the field again. */
  async toggle() {
    if (this.isOpen) {
      this.close();
      return;
    }
    this.#asked += 1;
    const asked = this.#asked;
    const { value } = this.#field;
    if (value.trim()) {
      const problem = await findProblemOf(() => this.#read(value));
      if (asked !== this.#asked || value !== this.#field.value) return; // pressed twice, or typed on
      this.#onProblem(problem);
      if (problem) return;
    } else showNothing(this.#panel);
    this.#panel.hidden = false;
    this.#panel.scrollTop = 0;
    this.#button.setAttribute("aria-pressed", "true");
    this.#panel.focus();
  }

  /** Show the field again, with its caret. */
  close() {
    if (!this.isOpen) return;
    this.hide();
    this.#field.focus();
  }

  /** Show the field again, without giving it the focus. */
  hide() {
    this.#asked += 1;
    this.#panel.hidden = true;
    this.#panel.replaceChildren();
    this.#button.setAttribute("aria-pressed", "false");
  }

  /** Before the other parts of the form, so that Escape does not also cancel the reply or the edit. */
  #press(meaning, event) {
    if (meaning !== "Escape" || !this.isOpen) return;
    event.preventDefault();
    event.stopPropagation();
    this.close();
  }
}

function showNothing(panel) {
  const note = document.createElement("p");
  note.className = "preview__none";
  note.textContent = "Nothing to show yet: the message is empty.";
  panel.replaceChildren(note);
}
