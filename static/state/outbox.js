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
  #draftKey;
  #tab;
  #now;
  #makeId;
  #drafts = new Map();

  /** `formerRoom`: the address that the room had before. */
  constructor({ storage, userId, room, formerRoom, tab, now, makeId }) {
    this.#storage = storage;
    this.#prefix = `chatroom:outbox:${userId}:${room}:`;
    this.#draftKey = `chatroom:draft:${userId}:${room}`;
    this.#tab = tab;
    this.#now = now;
    this.#makeId = makeId;
    if (formerRoom) this.#takeOver(`${userId}:${formerRoom}`, `${userId}:${room}`);
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

  /** The draft is stored, or the person let go of it. */
  remove(client_id) {
    this.#drafts.delete(client_id);
    this.#try(() => this.#storage.removeItem(this.#prefix + client_id));
  }

  /** The server will not take it as it is. */
  fail(client_id, problem) {
    this.#change(client_id, { problem });
  }

  /** Try a failed draft again, under the same `client_id`. */
  retry(client_id) {
    this.#change(client_id, { problem: "" });
  }

  /** Renew the claim on our drafts, and take over those whose tab is gone; answers whether anything changed. */
  claim() {
    const before = [...this.#drafts.keys()].join();
    for (const draft of this.#readAll()) {
      const isOurs = draft.tab === this.#tab || this.#drafts.has(draft.client_id);
      if (!isOurs && this.#now() - draft.claimed_at < CLAIM_MS) continue;
      if (!this.#drafts.has(draft.client_id)) this.#drafts.set(draft.client_id, this.#withAge(draft));
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

  /** What stands in the composer, not yet sent. */
  get unsent() {
    return this.#try(() => this.#storage.getItem(this.#draftKey)) ?? "";
  }

  set unsent(text) {
    this.#try(() => (text ? this.#storage.setItem(this.#draftKey, text) : this.#storage.removeItem(this.#draftKey)));
  }

  /** The files that are attached there: what the server knows of each. */
  get unsentFiles() {
    return this.#try(() => JSON.parse(this.#storage.getItem(`${this.#draftKey}:files`))) ?? [];
  }

  set unsentFiles(files) {
    const key = `${this.#draftKey}:files`;
    this.#try(() => (files.length ? this.#storage.setItem(key, JSON.stringify(files)) : this.#storage.removeItem(key)));
  }

  /** Hours later the talk has moved on: what was never stored then asks before it is sent. */
  #withAge(draft) {
    if (draft.problem || this.#now() - draft.created_at < MAX_AGE_MS) return draft;
    return { ...draft, problem: "This draft is old and was not stored." };
  }

  #change(client_id, change) {
    const draft = this.#drafts.get(client_id);
    if (!draft) return;
    Object.assign(draft, change);
    this.#write(draft);
  }

  #write(draft, claimed_at = this.#now()) {
    const text = JSON.stringify({ ...draft, tab: this.#tab, claimed_at });
    this.#try(() => this.#storage.setItem(this.#prefix + draft.client_id, text));
  }

  /** What was written at the room's old address goes on at the new one. */
  #takeOver(from, to) {
    this.#try(() => {
      for (const key of this.#keys()) {
        const [, kind, rest] = key.split(/^chatroom:(outbox|draft):/);
        if (rest !== from && !rest?.startsWith(`${from}:`)) continue;
        this.#storage.setItem(`chatroom:${kind}:${to}${rest.slice(from.length)}`, this.#storage.getItem(key));
        this.#storage.removeItem(key);
      }
    });
  }

  #keys() {
    return Array.from({ length: this.#storage.length }, (_, index) => this.#storage.key(index));
  }

  #readAll() {
    const drafts = [];
    this.#try(() => {
      for (const key of this.#keys()) if (key?.startsWith(this.#prefix)) drafts.push(parse(this.#storage.getItem(key)));
    });
    return drafts.filter(Boolean);
  }

  /** Storage may be full or forbidden: drafts then live as long as the page. */
  #try(action) {
    try {
      return action();
    } catch {
      return undefined;
    }
  }
}

function parse(text) {
  try {
    const draft = JSON.parse(text);
    return typeof draft?.client_id === "string" && typeof draft.text === "string" ? draft : null;
  } catch {
    return null;
  }
}
