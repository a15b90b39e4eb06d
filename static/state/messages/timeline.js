/* The messages that the page has loaded, ordered by sequence, each in its latest revision. No DOM.

   The loaded messages are one stretch without gaps. It may start after the room's first message (`hasOlder`). While the
   reader is far above the end, it may end before the newest message (`isDetached`). Messages outside are loaded again when needed. */

const COLLECTED_LIMIT = 5000;

export class Timeline {
  #stretch = new Stretch();
  #collected = null; // changes that arrive while a page is being loaded

  /** The cursor: all changes up to this revision were applied. */
  cursor = 0;
  hasOlder = false;
  isDetached = false;

  constructor({ user }) {
    this.user = user;
  }

  get messages() {
    return this.#stretch.messages;
  }

  get oldestSequence() {
    return this.messages[0]?.sequence;
  }

  get newestSequence() {
    return this.#stretch.newestSequence;
  }

  /** The message with this sequence, if it is loaded. */
  find(sequence) {
    return this.#stretch.find(sequence);
  }

  /** Whether a draft of ours has become a message here. */
  hasClientId(client_id) {
    return this.messages.some((message) => message.client_id === client_id && message.author.id === this.user.id);
  }

  /** Start (again) with a page; changes that arrived while it was being loaded are kept. */
  reset({ messages, revision, hasOlder, hasNewer = false }) {
    this.#stretch = new Stretch();
    this.cursor = Math.max(this.cursor, revision);
    this.applyPage({ messages, hasOlder, hasNewer });
  }

  /** Apply changes in any order, any number of times; returns the messages that are new to this page. */
  applyChanges({ messages, revision }) {
    const arrived = [];
    for (const message of messages) {
      this.#collected?.add(message);
      const isNew = message.sequence > this.cursor && !this.find(message.sequence);
      const isPlaced = this.#apply(message);
      if (isNew && (isPlaced || this.isDetached)) arrived.push(message);
    }
    this.cursor = Math.max(this.cursor, revision);
    return arrived;
  }

  /** The server stored a draft of this page: show it in its place until its change arrives with the rendered text. */
  applyStored({ id, client_id, sequence, revision }, { text, reply_to, files, sent_at }) {
    // At or before the cursor, its change was already applied: a missing message is then missing on purpose.
    if (this.isDetached || sequence <= this.cursor || this.find(sequence)) return;
    this.#stretch.place({ id, client_id, sequence, revision, author: this.user, text, reply_to, files, sent_at, isProvisional: true });
  }

  /** Call this before requesting a page: a change may arrive before the answer. */
  expectPage() {
    this.#collected ??= new Collected();
  }

  /** The request of the page failed. */
  forgetPage() {
    this.#collected = null;
  }

  /** Add a page before the oldest or after the newest message, and take over whether more messages follow. */
  applyPage({ messages, hasOlder = this.hasOlder, hasNewer = this.isDetached }) {
    for (const message of messages) this.#stretch.place(message);
    this.hasOlder = hasOlder;
    this.isDetached = hasNewer;
    const collected = this.#collected?.messages ?? [];
    this.#collected = null;
    for (const message of collected) this.#apply(message);
  }

  /** Drop the oldest messages beyond a limit; they can be loaded again. */
  trimOldest(limit) {
    if (this.messages.length <= limit || this.#collected) return; // a page that is being loaded must still fit to its neighbour
    this.#stretch.cut(0, this.messages.length - limit);
    this.hasOlder = true;
  }

  /** Drop the newest messages beyond a limit, while the reader is far above; `reset` loads them again. */
  trimNewest(limit) {
    if (this.messages.length <= limit || this.#collected) return;
    this.#stretch.cut(limit, Infinity);
    this.isDetached = true;
  }

  #apply(message) {
    if (!this.find(message.sequence)) {
      if (this.hasOlder && message.sequence < this.oldestSequence) return false;
      if (this.isDetached && message.sequence > this.newestSequence) return false;
    }
    return this.#stretch.place(message);
  }
}

/** Messages in the order of their sequences, each once. */
class Stretch {
  #bySequence = new Map();
  messages = [];

  get newestSequence() {
    return this.messages.at(-1)?.sequence ?? 0;
  }

  find(sequence) {
    return this.#bySequence.get(sequence);
  }

  /** Put a message in its place; returns whether it is newer than the known one. */
  place(message) {
    const known = this.find(message.sequence);
    if (known && !known.isProvisional && known.revision >= message.revision) return false;
    this.#bySequence.set(message.sequence, message);
    this.messages.splice(this.#findPlace(message.sequence), known ? 1 : 0, message);
    return true;
  }

  cut(start, count) {
    for (const { sequence } of this.messages.splice(start, count)) this.#bySequence.delete(sequence);
  }

  #findPlace(sequence) {
    if (sequence > this.newestSequence) return this.messages.length;
    let low = 0;
    let high = this.messages.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.messages[middle].sequence < sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The latest revision of each message that arrives while a page is being loaded. */
class Collected {
  #bySequence = new Map();

  get messages() {
    return this.#bySequence.values();
  }

  add(message) {
    const known = this.#bySequence.get(message.sequence);
    if (!known && this.#bySequence.size >= COLLECTED_LIMIT) return;
    if (!known || known.revision < message.revision) this.#bySequence.set(message.sequence, message);
  }
}
