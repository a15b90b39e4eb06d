/* A clock that stands still, a browser's storage, a websocket and an HTTP API: everything that the scripts are given. */

import { ApiError } from "../../static/state/live/api.js";

export class FakeClock {
  #now;
  #timers = new Map();
  #lastId = 0;

  constructor(now = 1_000_000) {
    this.#now = now;
  }

  now = () => this.#now;

  setTimeout = (action, ms) => {
    this.#lastId += 1;
    this.#timers.set(this.#lastId, { action, at: this.#now + ms });
    return this.#lastId;
  };

  clearTimeout = (id) => {
    this.#timers.delete(id);
  };

  /** Let time pass, timers and promises included. */
  async pass(ms) {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const [id, timer] = [...this.#timers].sort((a, b) => a[1].at - b[1].at)[0] ?? [];
      if (!timer || timer.at > end) break;
      this.#now = Math.max(this.#now, timer.at);
      this.#timers.delete(id);
      timer.action();
      await settle();
    }
    this.#now = end;
  }

  /** Sleep: the time jumps, and no timer ran meanwhile. */
  sleep(ms) {
    this.#now += ms;
  }
}

/** Let every promise that can go on go on: Node comes to what is set immediate when none is left. */
export function settle() {
  return new Promise((resolve) => setImmediate(resolve));
}

export class FakeStorage {
  #items = new Map();

  get length() {
    return this.#items.size;
  }

  key(index) {
    return [...this.#items.keys()][index] ?? null;
  }

  getItem(key) {
    return this.#items.get(key) ?? null;
  }

  setItem(key, value) {
    this.#items.set(key, String(value));
  }

  removeItem(key) {
    this.#items.delete(key);
  }
}

export class FakeSocket {
  readyState = 0;
  sent = [];

  constructor(cursor) {
    this.cursor = cursor;
  }

  open() {
    this.readyState = 1;
    this.onopen?.({});
  }

  /** The server says something. */
  say(frame) {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  /** Open, and tell what was missed. */
  welcome(messages = [], revision = messages.at(-1)?.revision ?? this.cursor) {
    this.open();
    if (messages.length) this.say({ type: "changes", room: "lobby", revision, messages });
    this.say({ type: "caught_up", room: "lobby", revision, missed: messages.length });
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  /** The connection ends from the other side. */
  end(code = 1006, reason = "") {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }

  close() {
    this.readyState = 3;
    this.isClosed = true;
  }
}

/** An API whose answers are set by the test; by default nothing is reachable. */
export class FakeApi {
  restate = (text) => text;

  asked = [];
  posted = [];
  changes = () => unreachable();
  stored = () => unreachable();
  changed = () => unreachable();

  async readChanges(after) {
    this.asked.push(after);
    return this.changes(after);
  }

  async post(draft) {
    this.posted.push(draft);
    return this.stored(draft);
  }

  async change(frame) {
    return this.changed(frame);
  }
}

export function unreachable() {
  throw new ApiError({ status: 0, reason: "unreachable", message: "unreachable" });
}

export function refuse(status, details = {}) {
  throw new ApiError({ status, reason: "unknown", message: "no", ...details });
}

export const ALICE = { id: "alice", name: "Alice" };
export const BOB = { id: "bob", name: "Bob" };

/** A message as a frame carries it. */
export function message(sequence, details = {}) {
  return {
    id: `id${sequence}`,
    sequence,
    revision: sequence,
    author: BOB,
    html: `<p>${sequence}</p>`,
    sent_at: "2026-11-21T12:00:00.000Z",
    ...details,
  };
}

export function messages(from, to) {
  return Array.from({ length: to - from + 1 }, (_, index) => message(from + index));
}
