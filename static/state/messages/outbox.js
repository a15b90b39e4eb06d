/* Drafts that are not yet known to be stored, kept in the browser under the account that wrote them. No DOM.

   Each draft has a key of its own, so that tabs never overwrite each other's. A draft belongs to the tab that wrote it
   as long as that tab lives (it renews the claim); then any other tab of the account takes it over. Sending one twice is
   harmless, its `client_id` says so: the claim only keeps ten tabs from all trying at once. */

const CLAIM_MS = 20_000;
const MAX_AGE_MS = 12 * 60 * 60 * 1000;

/** How many drafts may wait; then the composer says so. */
export const MAX_WAITING = 100;

export class Outbox {
  #storage;
  #prefix;
  #tab;
  #now;
  #makeId;
  #drafts = new Map();

  constructor({ storage, userId, room, tab, now, makeId }) {
    this.#storage = storage;
    this.#prefix = `chatroom:outbox:${userId}:${room}:`;
    this.#tab = tab;
    this.#now = now;
    this.#makeId = makeId;
  }

  /** The drafts of this tab in the order in which they were written. */
  get drafts() {
    return [...this.#drafts.values()].sort((a, b) => a.created_at - b.created_at || a.number - b.number);
  }

  get isFull() {
    return this.#drafts.size >= MAX_WAITING;
  }

  /** The next draft to send: the oldest that has not failed. */
  get next() {
    return this.drafts.find((draft) => !draft.problem);
  }

  get(client_id) {
    return this.#drafts.get(client_id);
  }

  /**
   * Keep a text under a new `client_id` until it is stored; `reply_to`: the sequence of what it answers, `files`: what
   * the server knows of each of its files.
   */
  add(text, { reply_to, files } = {}) {
    const client_id = this.#makeId();
    const draft = { client_id, text, reply_to, files, created_at: this.#now(), number: this.#drafts.size, problem: "" };
    this.#drafts.set(client_id, draft);
    this.#write(draft);
    return draft;
  }

  /** The draft is stored, or the person discarded it. */
  remove(client_id) {
    this.#drafts.delete(client_id);
    attempt(() => this.#storage.removeItem(this.#prefix + client_id));
  }

  /** The server will not take it as it is. */
  fail(client_id, problem) {
    const draft = this.#drafts.get(client_id);
    if (!draft) return;
    draft.problem = problem;
    this.#write(draft);
  }

  /** Try a failed draft again, under the same `client_id`. */
  retry(client_id) {
    this.fail(client_id, "");
  }

  /** Renew the claim on our drafts, and take over those whose tab is gone; answers whether anything changed. */
  claim() {
    const before = [...this.#drafts.keys()].join();
    for (const draft of this.#readAll()) {
      const isOurs = draft.tab === this.#tab || this.#drafts.has(draft.client_id);
      if (!isOurs && this.#now() - draft.claimed_at < CLAIM_MS) continue;
      if (!this.#drafts.has(draft.client_id)) this.#drafts.set(draft.client_id, withAge(draft, this.#now()));
      this.#write(this.#drafts.get(draft.client_id));
    }
    return before !== [...this.#drafts.keys()].join();
  }

  /** Let another tab have our drafts at once: this one is being closed. */
  release() {
    for (const draft of this.#drafts.values()) this.#write(draft, 0);
  }

  /** Another tab changed the storage under this key; answers whether it concerned us. */
  notice(key, value) {
    if (value !== null || !key?.startsWith(this.#prefix)) return false;
    return this.#drafts.delete(key.slice(this.#prefix.length));
  }

  #write(draft, claimed_at = this.#now()) {
    const text = JSON.stringify({ ...draft, tab: this.#tab, claimed_at });
    attempt(() => this.#storage.setItem(this.#prefix + draft.client_id, text));
  }

  #readAll() {
    const keys = attempt(() => keysOf(this.#storage)) ?? [];
    const own = keys.filter((key) => key?.startsWith(this.#prefix));
    return own.map((key) => attempt(() => parse(this.#storage.getItem(key)))).filter(Boolean);
  }
}

/** What is in the composer of a room, not yet sent: its text, and what the server knows of each file that is attached. */
export class Unsent {
  #storage;
  #key;

  constructor({ storage, userId, room }) {
    this.#storage = storage;
    this.#key = `chatroom:draft:${userId}:${room}`;
  }

  get text() {
    return attempt(() => this.#storage.getItem(this.#key)) ?? "";
  }

  set text(text) {
    this.#keep(this.#key, text);
  }

  get files() {
    return attempt(() => JSON.parse(this.#storage.getItem(`${this.#key}:files`))) ?? [];
  }

  set files(files) {
    this.#keep(`${this.#key}:files`, files.length ? JSON.stringify(files) : "");
  }

  #keep(key, text) {
    attempt(() => (text ? this.#storage.setItem(key, text) : this.#storage.removeItem(key)));
  }
}

/** Take what was written at a room's former address to its new one. */
export function takeOver({ storage, userId, room, formerRoom }) {
  const [from, to] = [`${userId}:${formerRoom}`, `${userId}:${room}`];
  attempt(() => {
    for (const key of keysOf(storage)) {
      const [, kind, rest] = key.split(/^chatroom:(outbox|draft):/);
      if (rest !== from && !rest?.startsWith(`${from}:`)) continue;
      storage.setItem(`chatroom:${kind}:${to}${rest.slice(from.length)}`, storage.getItem(key));
      storage.removeItem(key);
    }
  });
}

/** After hours the conversation has moved on: what was never stored then asks before it is sent. */
function withAge(draft, now) {
  if (draft.problem || now - draft.created_at < MAX_AGE_MS) return draft;
  return { ...draft, problem: "This draft is old and was not stored." };
}

function keysOf(storage) {
  return Array.from({ length: storage.length }, (_, index) => storage.key(index));
}

/** Storage may be full or forbidden: drafts then live as long as the page. */
function attempt(action) {
  try {
    return action();
  } catch {
    return undefined;
  }
}

function parse(text) {
  const draft = JSON.parse(text);
  return typeof draft?.client_id === "string" && typeof draft.text === "string" ? draft : null;
}
