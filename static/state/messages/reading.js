/* What of the room is loaded, and what of it is new to its reader. No DOM. */

import { ApiError } from "../live/api.js";

/** How many messages the page holds while its reader is at the end, and at most while they read above. */
const KEPT_AT_END = 500;
const KEPT_ABOVE = 2000;

/** Loads other parts of the room into the timeline, one page at a time. */
export class Pages {
  #api;
  #timeline;
  #onState;
  #loading = null;

  /** `onState(end, state)`: "older" or "newer" messages are "loading", were "loaded", or "failed" to be. */
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

  /** Show the newest messages instead; answers whether they could be read. */
  loadNewest() {
    return this.#replace({});
  }

  /** Show the surroundings of a message instead; answers whether they could be read. */
  loadAround(sequence) {
    return this.#replace({ around: sequence });
  }

  /** Drop what is far from what is being read. */
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
    while (this.#loading) await this.#loading; // a page of the old part must not come into the new one
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

/** Counts what others wrote and the reader has not seen, and knows where it begins. */
export class News {
  #timeline;
  #readTo = 0; // until the place of what is new since then is known
  #unread = 0; // arrived while the page was out of sight

  /** The message before which the line "New" is drawn. */
  mark = null;
  /** How many arrived below what is being read. */
  unseen = 0;

  constructor({ timeline }) {
    this.#timeline = timeline;
  }

  /** Begin with what came after a sequence, of which the last visit knew. */
  start(readTo) {
    this.#readTo = readTo;
    this.findMark();
  }

  /** Mark what others wrote since the last visit, once its place is among what is loaded. */
  findMark() {
    const { messages, hasOlder, user } = this.#timeline;
    const readTo = this.#readTo;
    if (!readTo || !messages.length || (hasOlder && messages[0].sequence > readTo)) return;
    const isNew = ({ sequence, author, kind }) => sequence > readTo && author.id !== user.id && kind !== "event";
    this.mark ??= messages.find(isNew)?.sequence ?? null;
    this.#readTo = 0;
  }

  /** New messages came, live or after an absence (`isMissed`). */
  take(arrived, { isMissed, isHidden, isAtEnd }) {
    const others = arrived.filter(({ author }) => author.id !== this.#timeline.user.id);
    if (!others.length) return;
    const isBelow = isHidden || isMissed || !isAtEnd;
    if (isBelow && !this.unseen && !this.#unread && !(isMissed && this.#timeline.find(this.mark))) this.mark = findFirst(others);
    if (isHidden) this.#unread += others.length;
    if (!isAtEnd) this.unseen += others.length;
  }

  /** The page is looked at again. */
  look() {
    this.#unread = 0;
  }

  /** The person is at the end, and wrote there: nothing is new then. */
  forget() {
    this.unseen = 0;
    this.#readTo = 0;
    this.mark = null;
  }
}

/** Changes come in the order of their revisions: what was edited since comes late. */
function findFirst(messages) {
  return Math.min(...messages.map(({ sequence }) => sequence));
}
