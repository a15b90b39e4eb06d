/* What the next message answers, over the composer. */

import { shownName } from "../../state/kit/text.js";

export class ReplyBar {
  #root;
  #quotes;
  #sequence;

  /** `onEnd()`: the person wants to answer nothing after all. */
  constructor({ form, quotes, onEnd }) {
    this.#root = form.querySelector("[data-reply]");
    this.#quotes = quotes;
    this.#root.querySelector("[data-reply-cancel]").addEventListener("click", () => {
      this.#set(undefined);
      onEnd();
    });
    form.addEventListener("keydown", ({ key }) => key === "Escape" && this.#set(undefined));
  }

  /** Answer the message with this sequence. */
  start(sequence) {
    this.#set(sequence);
  }

  /** What is answered, once: the next message answers nothing. */
  take() {
    const sequence = this.#sequence;
    this.#set(undefined);
    return sequence;
  }

  /** Show what is answered as it is now. */
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
