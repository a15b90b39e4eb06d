/* Which part of the room is loaded, and which messages are new to the reader. No DOM. */

import { ApiError } from "../live/api.js";

/** The maximum number of loaded messages while the reader is at the end, and while they read older ones. */
const KEPT_AT_END = 500;
const KEPT_ABOVE = 2000;

/** Loads other parts of the room into the timeline, one page at a time. */
export class Pages {
  #api;
  #timeline;
  #onState;
  #loading = null;

  /** `onState(end, state)`: the state of the "older" or "newer" messages: "loading", "loaded" or "failed". */
  constructor({ api, timeline, onState }) {
    this.#api = api;
    this.#timeline = timeline;
    this.#onState = onState;
  }

  loadOlder() {
    return this.#once(() => this.#timeline.hasOlder && this.#extend("older"));
  }

  loadNewer() {
    return this.#once(() => this.#timeline.isDetached && this.#extend("newer"));
  }

  /** Show the newest messages instead; returns whether they could be read. */
  loadNewest() {
    return this.#replace({});
  }

  /** Show the messages around a message instead; returns whether they could be read. */
  loadAround(sequence) {
    return this.#replace({ around: sequence });
  }

  /** Drop messages that are far from the reader's place. */
  trim(isAtEnd) {
    if (isAtEnd) this.#timeline.trimOldest(KEPT_AT_END);
    else this.#timeline.trimNewest(KEPT_ABOVE);
  }

  #once(load) {
    this.#loading ??= Promise.resolve(load()).finally(() => {
      this.#loading = null;
    });
    return this.#loading;
  }

  async #extend(end) {
    this.#onState(end, "loading");
    const isLoaded = await this.#take(async () => {
      if (end === "older") {
        const { messages, more } = await this.#api.readPage({ before: this.#timeline.oldestSequence });
        this.#timeline.applyPage({ messages, hasOlder: more && messages.length > 0 });
      } else {
        const { messages, more } = await this.#api.readPage({ since: this.#timeline.newestSequence + 1 });
        this.#timeline.applyPage({ messages, hasNewer: more });
      }
    });
    this.#onState(end, isLoaded ? "loaded" : "failed");
  }

  async #replace(where) {
    while (this.#loading) await this.#loading; // a page of the old stretch must not be added to the new one
    return this.#once(() =>
      this.#take(async () => {
        const { messages, revision, more, newer } = await this.#api.readPage(where);
        this.#timeline.reset({ messages, revision, hasOlder: more, hasNewer: newer });
      }),
    );
  }

  async #take(read) {
    this.#timeline.expectPage();
    try {
      await read();
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#timeline.forgetPage();
      return false;
    }
  }
}

/** Counts the messages of others that the reader has not seen, and knows the first of them. */
export class News {
  #timeline;
  #readTo = null; // until the first message after it is known
  #markedAt = 0;
  #unread = 0; // messages that arrived while the person was away

  /** The message before which the line "New" is drawn. */
  mark = null;
  /** The number of messages that arrived below the reader's place. */
  unseen = 0;

  constructor({ timeline }) {
    this.#timeline = timeline;
  }

  /** Start after the read position of the last visit; `markedAt` is the message that the person marked as unread, if any. */
  start(readTo, markedAt = 0) {
    this.#markedAt = markedAt;
    this.#readTo = readTo || readTo < markedAt ? readTo : null;
    this.findMark();
  }

  /** Mark the first message of others since the last visit, as soon as it is loaded. */
  findMark() {
    const { messages, hasOlder, user } = this.#timeline;
    const readTo = this.#readTo;
    if (readTo === null || !messages.length || (hasOlder && messages[0].sequence > readTo)) return;
    const isNew = ({ sequence, author, kind }) => sequence > readTo && (sequence === this.#markedAt || author.id !== user.id) && kind !== "event";
    this.mark ??= messages.find(isNew)?.sequence ?? null;
    this.#readTo = null;
  }

  /** New messages arrived, live or after an absence (`isMissed`). */
  take(arrived, { isMissed, isAway, isAtEnd }) {
    const others = arrived.filter(({ author }) => author.id !== this.#timeline.user.id);
    if (!others.length) return;
    const isBelow = isAway || isMissed || !isAtEnd;
    if (isBelow && !this.unseen && !this.#unread && !(isMissed && this.#timeline.find(this.mark))) this.mark = findFirst(others);
    if (isAway) this.#unread += others.length;
    if (!isAtEnd) this.unseen += others.length;
  }

  /** Whether messages arrived while the person was away. */
  get isWaiting() {
    return this.#unread > 0;
  }

  /** The person is here again. */
  look() {
    this.#unread = 0;
  }

  /** The person wrote at the end: no message is new then. */
  forget() {
    this.unseen = 0;
    this.#readTo = null;
    this.mark = null;
  }
}

/** Changes arrive in the order of their revisions, so an edited message arrives late. */
function findFirst(messages) {
  return Math.min(...messages.map(({ sequence }) => sequence));
}
