/* The room over plain HTTP, for when no websocket is open: what changed is asked for, once or every few seconds. No DOM. */

import { ApiError } from "./api.js";

const POLL_MS = 3000;
const POLL_HIDDEN_MS = 15_000;

/** The server does not know the cursor: the room was set back, to an older copy of its database. */
export const UNKNOWN_CURSOR = "unknown_cursor";

export class HttpLine {
  #api;
  #cursor;
  #timers;
  #isVisible;
  #onChanges;
  #onPoll;
  #onEnd;

  /** Whether it asks every few seconds. */
  isPolling = false;

  /** `onPoll(error)`: polling began, or asked again; `onEnd(name, details)`: it makes no sense to ask again. */
  constructor({ api, cursor, timers, isVisible, onChanges, onPoll, onEnd }) {
    this.#api = api;
    this.#cursor = cursor;
    this.#timers = timers;
    this.#isVisible = isVisible;
    this.#onChanges = onChanges;
    this.#onPoll = onPoll;
    this.#onEnd = onEnd;
  }

  /** Read what changed since the cursor; answers with the room's `revision`, or with the `error`. */
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

  /** Post or change something; answers `stored` or `held`, or throws an ApiError. */
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
