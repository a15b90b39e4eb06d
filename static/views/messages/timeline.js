/* The list of messages as elements: exactly the messages of the timeline, in its order. */

import { shownName } from "../../state/kit/text.js";
import { reconcile } from "../kit/list.js";
import { showTime } from "../kit/page.js";
import { readMessage } from "./message.js";

const JOINED_WITHIN_MS = 10 * 60 * 1000;

export class TimelineView {
  #list;
  #messageView;
  #dayTemplate;
  #times;
  #elements = new Map();
  #days = new Map();
  #mark;

  constructor({ list, dayTemplate, messageView, times }) {
    this.#list = list;
    this.#dayTemplate = dayTemplate;
    this.#messageView = messageView;
    this.#times = times;
    this.#mark = document.createElement("li");
    this.#mark.className = "mark";
    this.#mark.textContent = "New";
  }

  /** Take over the elements that came with the page; returns their messages. */
  adopt() {
    const messages = [];
    for (const element of this.#list.querySelectorAll("[data-message]")) {
      const message = readMessage(element);
      this.#messageView.adopt(element, message);
      this.#elements.set(message.sequence, { element, message });
      messages.push(message);
    }
    // The timeline keeps these same objects, so their elements are not rendered again.
    return messages;
  }

  /** Update the elements from these messages; the line "New" is before the message with the sequence `mark`. */
  render(messages, mark) {
    const wanted = [];
    let previous = null;
    let day = null;
    for (const message of messages) {
      const key = this.#times.dayKey(message.sent_at);
      if (key !== day) wanted.push(this.#dayLine(key));
      if (message.sequence === mark) wanted.push(this.#mark);
      const element = this.#elementOf(message);
      const isJoined = key === day && message.sequence !== mark && continues(message, previous);
      element.classList.toggle("message--joined", isJoined);
      wanted.push(element);
      previous = message;
      day = key;
    }
    reconcile(this.#list, wanted);
    this.#forgetBeyond(messages);
  }

  /** A quoted message changed or was loaded: show its current text. */
  renewQuotes() {
    for (const { element, message } of this.#elements.values()) this.#messageView.setQuote(element, message);
  }

  /** Mark only the message that the reader went to. */
  target(sequence) {
    this.#list.querySelector(".message--target")?.classList.remove("message--target");
    this.elementOf(sequence)?.classList.add("message--target");
  }

  elementOf(sequence) {
    return this.#elements.get(sequence)?.element;
  }

  get mark() {
    return this.#mark.isConnected ? this.#mark : null;
  }

  #elementOf(message) {
    const known = this.#elements.get(message.sequence);
    if (known?.message === message) return known.element;
    const element = known?.element ?? this.#messageView.make(message);
    if (known) this.#messageView.update(element, message, known.message);
    this.#elements.set(message.sequence, { element, message });
    return element;
  }

  #dayLine(key) {
    let line = this.#days.get(key);
    if (!line) {
      line = this.#dayTemplate.content.firstElementChild.cloneNode(true);
      line.querySelector("time").dateTime = key;
      this.#days.set(key, line);
    }
    const time = line.querySelector("time");
    if (time.textContent !== this.#times.dayLabel(key)) showTime(time, this.#times);
    return line;
  }

  #forgetBeyond(messages) {
    if (this.#elements.size <= messages.length) return;
    const kept = new Set(messages.map(({ sequence }) => sequence));
    for (const sequence of this.#elements.keys()) if (!kept.has(sequence)) this.#elements.delete(sequence);
  }
}

/** Whether a message continues its author's previous one. Must match `_continues` in chatroom/web/messages/listing.py. */
export function continues(message, previous) {
  return (
    previous !== null &&
    previous.author.id === message.author.id &&
    shownName(previous.author) === shownName(message.author) &&
    !message.reply_to &&
    previous.kind === message.kind &&
    new Date(message.sent_at) - new Date(previous.sent_at) < JOINED_WITHIN_MS
  );
}
