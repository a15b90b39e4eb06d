/* Drafts that are not confirmed as stored, kept in the browser's storage per account. No DOM.

   Each draft has its own key, so tabs never overwrite each other's drafts. A draft belongs to the tab that wrote it while
   that tab renews its claim; after that, another tab of the account takes the draft over. Sending a draft twice is
   harmless because of its `client_id`: the claim only prevents many tabs from sending it at once. */

const CLAIM_MS = 20_000;
const MAX_AGE_MS = 12 * 60 * 60 * 1000;

/** The maximum number of drafts; beyond it, the composer shows a problem. */
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
   * Keep a text with a new `client_id` until it is stored. `reply_to` is the sequence of the message that it replies to,
   * `files` the server's data of its files.
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

  /** The server refused the draft. */
  fail(client_id, problem) {
    const draft = this.#drafts.get(client_id);
    if (!draft) return;
    draft.problem = problem;
    this.#write(draft);
  }

  /** Try a failed draft again, with the same `client_id`. */
  retry(client_id) {
    this.fail(client_id, "");
  }

  /** Renew the claim on this tab's drafts, and take over those of closed tabs; returns whether anything changed. */
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

  /** Release this tab's drafts, so that another tab takes them over at once: this tab is being closed. */
  release() {
    for (const draft of this.#drafts.values()) this.#write(draft, 0);
  }

  /** Another tab changed this key of the storage; returns whether the key belongs to the outbox. */
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

/** The unsent text in the composer of a room, and the server's data of the attached files. */
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

/** Move drafts from a room's former address to its new address. */
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

/** After hours, an unsent draft may no longer fit: it is marked as failed, so that the person decides. */
function withAge(draft, now) {
  if (draft.problem || now - draft.created_at < MAX_AGE_MS) return draft;
  return { ...draft, problem: "This draft is old and was not stored." };
}

function keysOf(storage) {
  return Array.from({ length: storage.length }, (_, index) => storage.key(index));
}

/** Storage may be full or forbidden: drafts are then kept only as long as the page. */
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
