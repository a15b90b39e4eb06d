/* Looks up the messages that others reply to. They are not copied, so a quote always shows the current text. No DOM. */

import { cut, plainText } from "../kit/text.js";

export const DELETED = "This message was deleted.";
export const GONE = "This message no longer exists.";
const LONGEST = 200;
const MOST_AT_ONCE = 100;
const KEPT = 2000;

export class Quotes {
  #timeline;
  #api;
  #onFound;
  #known = new Map(); // quoted messages outside the timeline; null: the message does not exist
  #wanted = new Set();
  #isAsking = false;

  /** `onFound()`: a requested message has arrived. */
  constructor({ timeline, api, onFound }) {
    this.#timeline = timeline;
    this.#api = api;
    this.#onFound = onFound;
  }

  /** The quote of the message with this sequence: `{author, text}`, or nothing while the message is being loaded. */
  describe(sequence) {
    const message = this.#timeline.find(sequence) ?? this.#known.get(sequence);
    if (message) return { author: message.author, text: excerptOf(message) };
    if (message === null) return { text: GONE };
    this.#want(sequence);
    return {};
  }

  /** Update quoted messages from changes. */
  take(messages) {
    for (const message of messages) {
      const known = this.#known.get(message.sequence);
      if (known && known.revision < message.revision) this.#known.set(message.sequence, message);
    }
  }

  #want(sequence) {
    this.#wanted.add(sequence);
    if (this.#isAsking) return;
    this.#isAsking = true;
    queueMicrotask(() => this.#ask());
  }

  async #ask() {
    const sequences = [...this.#wanted].slice(0, MOST_AT_ONCE);
    try {
      const { messages } = await this.#api.readSequences(sequences);
      for (const sequence of sequences) this.#keep(sequence, null);
      for (const message of messages) this.#keep(message.sequence, message);
    } catch {
      // The message is shown without its quote; the next rendering asks again.
      this.#wanted.clear();
      this.#isAsking = false;
      return;
    }
    this.#isAsking = false;
    if (this.#wanted.size) this.#want([...this.#wanted][0]);
    this.#onFound();
  }

  #keep(sequence, message) {
    this.#wanted.delete(sequence);
    this.#known.set(sequence, message);
    if (this.#known.size > KEPT) this.#known.delete(this.#known.keys().next().value);
  }
}

/** A message in one line. Must match `excerpt_of` in chatroom/web/messages/listing.py. */
export function excerptOf({ html, text = "", files = [], deleted_at }) {
  if (deleted_at) return DELETED;
  const plain = (html === undefined ? text : plainText(html)).trim();
  if (!plain && files.length) return files[0].name;
  const beginning = cut(plain, LONGEST);
  return beginning === plain ? plain : `${beginning}…`;
}
