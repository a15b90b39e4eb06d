/* The saved messages of the person: which ones, how many reminders are due, and which one has just become due. No DOM. */

import { ApiError, request } from "../live/api.js";

/** The times that the menu offers: the value for the server, and the label. */
export const TIMES = [
  ["20 minutes", "In 20 minutes"],
  ["1 hour", "In 1 hour"],
  ["3 hours", "In 3 hours"],
  ["tomorrow", "Tomorrow at 9:00"],
  ["monday", "Next Monday at 9:00"],
];

const ADDRESS = "/api/later";

export class Later {
  #csrfToken;
  #options;
  #onCount;
  #onDue;
  #onIds;
  #ids;
  #wasLive = false;
  #isReading = false;
  #isAgain = false;
  #isDue = false;

  /**
   * `asking`: what requests need; `ids`: the id in the list of each saved message, by the message's id, as far as the page needs them.
   * `onCount(count)`: so many reminders are due; `onDue(saved)`: this saved message is due now; `onIds()`: other messages are saved now.
   */
  constructor({ asking: { csrfToken, ...options }, ids = {}, onCount, onDue, onIds }) {
    this.#csrfToken = csrfToken;
    this.#options = options;
    this.#onCount = onCount;
    this.#onDue = onDue;
    this.#onIds = onIds;
    this.#ids = new Map(Object.entries(ids));
  }

  /** Handle any frame. */
  receive({ type, due = false }) {
    if (type === "later") this.#read(due);
  }

  /** The connection has this state now: reminders may have become due without it. */
  connected(name) {
    if (name === "polling" || (name === "live" && this.#wasLive)) this.#read(false);
    if (name === "live") this.#wasLive = true;
  }

  /** Whether the message with this id is saved. */
  has(id) {
    return this.#ids.has(id);
  }

  /** Save a message; `remind` is a value of `TIMES`, or "". Returns the saved message. */
  async save(room, { id, sequence }, remind = "") {
    const headers = { "Content-Type": "application/json", "X-CSRFToken": this.#csrfToken };
    const saved = await request(ADDRESS, { ...this.#options, method: "POST", headers, body: JSON.stringify({ room, sequence, remind }) });
    this.#ids.set(id, saved.id);
    this.#onIds();
    return saved;
  }

  /** Remove a saved message from the list, with its reminder. */
  async remove({ id }) {
    await request(`${ADDRESS}/${this.#ids.get(id)}`, { ...this.#options, method: "DELETE", headers: { "X-CSRFToken": this.#csrfToken } });
    this.#ids.delete(id);
    this.#onIds();
  }

  /** One request at a time: what changes during a request is read by the next one. */
  async #read(isDue) {
    this.#isDue ||= isDue;
    this.#isAgain = true;
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      while (this.#isAgain) {
        this.#isAgain = false;
        const isNew = this.#isDue;
        this.#isDue = false;
        const { due_count: count, saved, ids } = await request(ADDRESS, this.#options);
        this.#ids = new Map(Object.entries(ids));
        this.#onIds();
        this.#onCount(count);
        if (isNew && saved[0]?.is_due) this.#onDue(saved[0]);
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error; // it is read again with the next frame
    } finally {
      this.#isReading = false;
    }
  }
}
