/* The saved messages of the person: how many reminders are due, and which one has just become due. No DOM. */

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
  #wasLive = false;
  #isReading = false;
  #isAgain = false;
  #isDue = false;

  /** `asking`: what requests need; `onCount(count)`: so many reminders are due; `onDue(saved)`: this saved message is due now. */
  constructor({ asking: { csrfToken, ...options }, onCount, onDue }) {
    this.#csrfToken = csrfToken;
    this.#options = options;
    this.#onCount = onCount;
    this.#onDue = onDue;
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

  /** Save a message; `remind` is a value of `TIMES`, or "". Returns the saved message. */
  save(room, sequence, remind = "") {
    const headers = { "Content-Type": "application/json", "X-CSRFToken": this.#csrfToken };
    return request(ADDRESS, { ...this.#options, method: "POST", headers, body: JSON.stringify({ room, sequence, remind }) });
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
        const { due_count: count, saved } = await request(ADDRESS, this.#options);
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
