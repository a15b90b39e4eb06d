/* The bar over the composer with the message that the next one replies to. */

import { shownName } from "../../state/kit/text.js";

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
    form.addEventListener("keydown", ({ key }) => key === "Escape" && this.#set(undefined));
  }

  /** Reply to the message with this sequence. */
  start(sequence) {
    this.#set(sequence);
  }

  /** Answer with the sequence that is replied to, and clear the bar. */
  take() {
    const sequence = this.#sequence;
    this.#set(undefined);
    return sequence;
  }

  /** Show the quoted message as it is now. */
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
