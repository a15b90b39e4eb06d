/* Which rooms have a draft: a text in the composer that was not sent, its files, or messages that wait in the outbox. No DOM. */

const KINDS = ["draft", "outbox"];

export class DraftMarks {
  #storage;
  #prefixes;
  #open;

  /** `open` is the slug of the open room, which shows its draft itself. */
  constructor({ storage, userId, open }) {
    this.#storage = storage;
    this.#prefixes = KINDS.map((kind) => `chatroom:${kind}:${userId}:`);
    this.#open = open;
  }

  /** The slugs of the other rooms that have a draft in this browser. */
  read() {
    const slugs = this.#keys().map((key) => this.#slugIn(key));
    return new Set(slugs.filter((slug) => slug && slug !== this.#open));
  }

  /** Whether a key that another tab changed belongs to a draft; null: all keys were removed. */
  isConcerned(key) {
    return key === null || this.#slugIn(key) !== "";
  }

  #slugIn(key) {
    const prefix = this.#prefixes.find((start) => key.startsWith(start));
    return prefix ? key.slice(prefix.length).split(":")[0] : "";
  }

  #keys() {
    try {
      return Array.from({ length: this.#storage.length }, (_, index) => this.#storage.key(index));
    } catch {
      return []; // storage may be forbidden
    }
  }
}
