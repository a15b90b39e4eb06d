/* The composer: sends on Enter, counts characters near the limit, shows problems, and keeps the typed text. */

import { countCharacters, findProblem } from "../../state/kit/text.js";
import { shortly } from "../../state/kit/times.js";
import { fitHeight, insertText } from "../kit/fields.js";
import { isSubmit, isTouchOnly, onKeys } from "../kit/keys.js";
import { startTools } from "../kit/tools.js";

const COUNT_FROM = 200;
const SAVE_AFTER_MS = 200;
const KEYS = "Enter sends, Shift+Enter starts a new line.";

/** There is no problem, but the message must wait: the text stays, and is sent later. */
export const LATER = Symbol("later");

export class ComposerView {
  #form;
  #text;
  #problem;
  #counter;
  #maxLength;
  #hasMore;
  #onSend;
  #onDraft;
  #onUp;
  #saving;
  #wait;
  #waiting;
  #tools;

  /**
   * `onSend(text)` returns why the text cannot be sent, `LATER`, or ""; `onDraft(text)` keeps the typed text;
   * `hasMore()` returns whether the message has more than its text; `onUp()`: arrow up in an empty composer;
   `tools`: what the formats and the preview need.
   */
  constructor({ form, maxLength, hasMore, onSend, onDraft, onUp, tools }) {
    this.#form = form;
    this.#text = form.querySelector("[data-text]");
    this.#problem = form.querySelector("[data-problem]");
    this.#counter = form.querySelector("[data-counter]");
    this.#wait = form.querySelector("[data-wait]");
    this.#maxLength = maxLength;
    this.#hasMore = hasMore;
    this.#onSend = onSend;
    this.#onDraft = onDraft;
    this.#onUp = onUp;
    form.noValidate = true;
    form.querySelector("[data-keys]").textContent = isTouchOnly() ? "" : KEYS;
    this.#text.enterKeyHint = isTouchOnly() ? "enter" : "send";
    form.addEventListener("submit", (event) => this.#submit(event));
    this.#tools = startTools({ ...tools, form, field: this.#text, onProblem: (text) => this.say(text) });
    onKeys(this.#text, (meaning, event) => this.#press(meaning, event));
    this.#text.addEventListener("input", () => this.#change());
    addEventListener("resize", () => fitHeight(this.#text));
    fitHeight(this.#text);
  }

  get text() {
    return this.#text.value;
  }

  /** Set the text, unless the composer already has one. */
  offer(text) {
    if (this.text || !text) return;
    this.#text.value = text;
    this.#change();
  }

  /** Insert a text before the current text. */
  insert(text) {
    this.#tools.hidePreview();
    insertText(this.#text, this.text ? `${text}\n` : text, 0, 0);
  }

  submit() {
    this.#form.requestSubmit();
  }

  focus() {
    this.#tools.hidePreview();
    this.#text.focus();
  }

  /** Show the time until the next message can be sent. */
  countDown(ms) {
    const until = Date.now() + ms;
    const tick = () => {
      const left = until - Date.now();
      this.#wait.hidden = left <= 0;
      this.#wait.textContent = left > 0 ? `Next message in ${shortly(left)}` : "";
      if (left <= 0) clearInterval(this.#waiting);
    };
    clearInterval(this.#waiting);
    this.#waiting = setInterval(tick, 1000);
    tick();
  }

  /** Store the typed text now. */
  save() {
    clearTimeout(this.#saving);
    this.#onDraft(this.text);
  }

  #press(meaning, event) {
    if (meaning === "ArrowUp" && !this.text) {
      event.preventDefault();
      this.#onUp();
    }
    if (!isSubmit(meaning, this.#text)) return;
    event.preventDefault();
    if (!event.repeat) this.#form.requestSubmit();
  }

  #submit(event) {
    event.preventDefault();
    const text = wellFormed(this.text);
    const isBlank = text.trim() === "" && this.#hasMore();
    const outcome = (isBlank ? "" : findProblem(text, this.#maxLength)) || this.#onSend(text);
    if (outcome !== LATER) this.say(outcome);
    if (!outcome) {
      this.#text.value = "";
      this.#change();
      this.save();
    }
    this.focus();
  }

  #change() {
    fitHeight(this.#text);
    if (!this.#problem.hidden) this.say("");
    this.#count();
    clearTimeout(this.#saving);
    this.#saving = setTimeout(() => this.save(), SAVE_AFTER_MS);
  }

  #count() {
    const left = this.#maxLength ? this.#maxLength - countCharacters(this.text) : Infinity;
    this.#counter.hidden = left > COUNT_FROM;
    this.#counter.textContent = left < 0 ? `${-left} too many` : `${left} left`;
    this.#counter.classList.toggle("composer__counter--over", left < 0);
  }

  /** Show a problem; "" hides it. */
  say(problem) {
    this.#problem.textContent = problem;
    this.#problem.hidden = !problem;
    if (problem) this.#text.setAttribute("aria-invalid", "true");
    else this.#text.removeAttribute("aria-invalid");
  }
}

/** A text without halves of surrogate pairs, which cannot be stored. */
export function wellFormed(text) {
  return text.toWellFormed?.() ?? text;
}
