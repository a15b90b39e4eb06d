/* The bar above the composer that shows the message to reply to. */

import { shownName } from "../../state/kit/text.js";
import { onKeys } from "../kit/keys.js";

export class ReplyBar {
  #root;
  #quotes;
  #sequence;

  /** `onEnd()`: the person cancelled the reply. */
  constructor({ form, quotes, onEnd }) {
    this.#root = form.querySelector("[data-reply]");
    this.#quotes = quotes;
    this.#root.querySelector("[data-reply-cancel]").addEventListener("click", () => {
      this.#set(undefined);
      onEnd();
    });
    onKeys(form, (meaning) => meaning === "Escape" && this.#set(undefined));
  }

  /** Reply to the message with this sequence. */
  start(sequence) {
    this.#set(sequence);
  }

  /** Return the sequence of the message to reply to, and clear the bar. */
  take() {
    const sequence = this.#sequence;
    this.#set(undefined);
    return sequence;
  }

  /** Show the current text of the quoted message. */
  renew() {
    if (!this.#sequence) return;
    const { author, text = "" } = this.#quotes.describe(this.#sequence);
    this.#root.querySelector("[data-reply-author]").textContent = author ? shownName(author) : "";
    this.#root.querySelector("[data-reply-text]").textContent = text;
  }

  #set(sequence) {
    this.#sequence = sequence;
    this.#root.hidden = !sequence;
    this.renew();
  }
}
