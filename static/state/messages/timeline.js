/* The messages that this page has, in their only order: by sequence, each in its latest revision. No DOM.

   What is loaded is one stretch without gaps. It may begin later than the room does (`hasOlder`), and, while
   somebody reads far above, end earlier (`isDetached`): what lies outside is not kept, and read again when needed. */

const COLLECTED_LIMIT = 5000;

export class Timeline {
  #bySequence = new Map();
  #collected = null;

  /** The revision up to which everything was seen: where to go on after a break. */
  cursor = 0;
  hasOlder = false;
  isDetached = false;

  constructor({ user }) {
    this.user = user;
    this.messages = [];
  }

  get oldestSequence() {
    return this.messages[0]?.sequence;
  }

  get newestSequence() {
    return this.messages.at(-1)?.sequence ?? 0;
  }

  /** The message with this sequence, if it is loaded. */
  find(sequence) {
    return this.#bySequence.get(sequence);
  }

  /** Begin, or begin anew, with a page; what arrived while it was on its way is kept. */
  reset({ messages, revision, hasOlder, hasNewer = false }) {
    this.#bySequence = new Map();
    this.messages = [];
    this.isDetached = hasNewer;
    this.hasOlder = hasOlder;
    for (const message of messages) this.#place(message);
    this.cursor = Math.max(this.cursor, revision);
    this.#applyCollected();
  }

  /** Take changes in any order, any number of times; answers with the messages that are new to this page. */
  applyChanges({ messages, revision }) {
    const arrived = [];
    for (const message of messages) {
      this.#collect(message);
      const isNew = message.sequence > this.cursor && !this.#bySequence.has(message.sequence);
      const isPlaced = this.#apply(message);
      if (isNew && (isPlaced || this.isDetached)) arrived.push(message);
    }
    this.cursor = Math.max(this.cursor, revision);
    return arrived;
  }

  /** The server stored a draft of ours: show it in its place until its change arrives with the rendered text. */
  applyStored({ id, client_id, sequence, revision }, { text, reply_to, files, sent_at }) {
    // At or before the cursor its change was already taken: what is missing then is missing on purpose.
    if (this.isDetached || sequence <= this.cursor || this.#bySequence.has(sequence)) return;
    this.#place({ id, client_id, sequence, revision, author: this.user, text, reply_to, files, sent_at, isProvisional: true });
  }

  /** To be called before history or the newest page is asked for: a change may overtake the answer. */
  expectPage() {
    this.#collected ??= new Map();
  }

  /** Nothing came of it. */
  forgetPage() {
    this.#collected = null;
  }

  /** Put the page before the oldest message. */
  applyHistory({ messages, hasOlder }) {
    for (const message of messages) this.#place(message);
    this.hasOlder = hasOlder;
    this.#applyCollected();
  }

  /** Put the page after the newest message that is loaded, while detached. */
  applyNewer({ messages, hasNewer }) {
    for (const message of messages) this.#place(message);
    this.isDetached = hasNewer;
    this.#applyCollected();
  }

  /** Let go of the oldest beyond a number; they can be read again. */
  trimOldest(limit) {
    if (this.messages.length <= limit || this.#collected) return; // a page on its way must find its neighbour
    this.#forget(this.messages.splice(0, this.messages.length - limit));
    this.hasOlder = true;
  }

  /** Let go of the newest beyond a number, while somebody reads far above; `reset` brings them back. */
  trimNewest(limit) {
    if (this.messages.length <= limit || this.#collected) return;
    this.#forget(this.messages.splice(limit));
    this.isDetached = true;
  }

  /** Whether a draft of ours has become a message here. */
  hasClientId(client_id) {
    return this.messages.some((message) => message.client_id === client_id && message.author.id === this.user.id);
  }

  #apply(message) {
    if (!this.#bySequence.has(message.sequence)) {
      if (this.hasOlder && message.sequence < this.oldestSequence) return false;
      if (this.isDetached && message.sequence > this.newestSequence) return false;
    }
    return this.#place(message);
  }

  #place(message) {
    const known = this.#bySequence.get(message.sequence);
    if (known && !known.isProvisional && known.revision >= message.revision) return false;
    this.#bySequence.set(message.sequence, message);
    this.messages.splice(this.#findPlace(message.sequence), known ? 1 : 0, message);
    return true;
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

  #collect(message) {
    if (!this.#collected) return;
    const known = this.#collected.get(message.sequence);
    if (!known && this.#collected.size >= COLLECTED_LIMIT) return;
    if (!known || known.revision < message.revision) this.#collected.set(message.sequence, message);
  }

  #applyCollected() {
    const collected = this.#collected ?? new Map();
    this.#collected = null;
    for (const message of collected.values()) this.#apply(message);
  }

  #forget(messages) {
    for (const message of messages) this.#bySequence.delete(message.sequence);
  }
}
