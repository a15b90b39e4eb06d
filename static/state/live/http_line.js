/* Reads the room's changes over HTTP while no websocket is open: once, or every few seconds. No DOM. */

import { ApiError } from "./api.js";

const POLL_MS = 3000;
const POLL_HIDDEN_MS = 15_000;

/** The server does not know the cursor: its database was restored from an older backup. */
export const UNKNOWN_CURSOR = "unknown_cursor";

export class HttpLine {
  #api;
  #cursor;
  #timers;
  #isVisible;
  #onChanges;
  #onPoll;
  #onEnd;

  /** Whether it polls every few seconds. */
  isPolling = false;

  /** `onPoll(error)`: polling started, or polled again; `onEnd(name, details)`: polling again is useless. */
  constructor({ api, cursor, timers, isVisible, onChanges, onPoll, onEnd }) {
    this.#api = api;
    this.#cursor = cursor;
    this.#timers = timers;
    this.#isVisible = isVisible;
    this.#onChanges = onChanges;
    this.#onPoll = onPoll;
    this.#onEnd = onEnd;
  }

  /** Read the changes since the cursor; returns the room's `revision`, or the `error`. */
  async ask() {
    try {
      for (;;) {
        const { revision, messages, more } = await this.#api.readChanges(this.#cursor());
        if (messages.length) this.#onChanges({ type: "changes", revision, messages });
        if (!more) return { revision };
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 401) this.#onEnd("signed_out");
      else if (error.reason === UNKNOWN_CURSOR) this.#onEnd("stale");
      else if (error.status === 403 || error.status === 404) this.#onEnd("closed", { message: error.message });
      return { error };
    }
  }

  /** Post or change a message; returns `stored` or `held`, or throws an ApiError. */
  async request(send) {
    try {
      const answer = await send(this.#api);
      return { ...answer, type: answer.held ? "held" : "stored" };
    } catch (error) {
      if (error.status !== 401) throw error;
      this.#onEnd("signed_out");
      throw new ApiError({ status: 401, reason: "signed_out", message: error.message });
    }
  }

  poll() {
    if (this.isPolling) return;
    this.isPolling = true;
    this.#onPoll();
    this.#askLater();
  }

  stop() {
    this.isPolling = false;
    this.#timers.stop("poll");
  }

  #askLater() {
    this.#timers.set("poll", this.#isVisible() ? POLL_MS : POLL_HIDDEN_MS, async () => {
      const { error } = await this.ask();
      if (!this.isPolling) return;
      this.#onPoll(error);
      this.#askLater();
    });
  }
}
