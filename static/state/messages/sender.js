/* Sends the drafts of the outbox in order, one at a time, until each is stored, held or refused. No DOM.

   Sending one at a time keeps the order even if a draft has to wait. A draft without an answer is sent again with the
   same `client_id`, so it is stored only once. */

/** After this time without an answer, a draft is shown as slow. */
export const SLOW_MS = 4000;
const PASSING = new Set(["too_fast", "busy", "unavailable", "unknown", "unreachable"]);
const SECOND_MS = 1000;
const LONGEST_WAIT_MS = 15_000;

export class Sender {
  #outbox;
  #connection;
  #clock;
  #onChange;
  #onStored;
  #onHeld;
  #onWait;
  #inFlight = null;
  #waiting = null;
  #waitsUntil = 0; // the end of a wait that the server has asked for
  #failures = 0;

  /** Drafts that have waited for an answer for too long. */
  slow = new Set();

  constructor({ outbox, connection, clock, onChange, onStored, onHeld = () => {}, onWait = () => {} }) {
    this.#outbox = outbox;
    this.#connection = connection;
    this.#clock = clock;
    this.#onChange = onChange;
    this.#onStored = onStored;
    this.#onHeld = onHeld;
    this.#onWait = onWait;
  }

  /** The milliseconds for which the server lets the next draft wait: for slow mode, or for a limit. */
  get waitMs() {
    return Math.max(0, this.#waitsUntil - this.#clock.now());
  }

  /** Send the next draft, if there is one and the server can be reached. */
  kick() {
    const draft = this.#outbox.next;
    if (this.#inFlight || this.#waiting || !draft || !this.#connection.canSend) return;
    this.#send(draft);
  }

  /** The connection is back: send at once. */
  resume() {
    this.#stopWaiting();
    this.#failures = 0;
    this.kick();
  }

  /** A draft arrived in the timeline: it is stored, even without an answer. */
  confirm(client_id) {
    if (!this.#outbox.get(client_id)) return;
    this.#forget(client_id);
    if (this.#inFlight?.client_id === client_id) this.#inFlight = null;
    this.#onChange();
    this.kick();
  }

  async #send(draft) {
    const flight = { client_id: draft.client_id };
    this.#inFlight = flight;
    this.#watch(draft);
    let answer;
    try {
      answer = await this.#connection.post(draft);
    } catch (error) {
      answer = { type: "refused", reason: error.reason ?? "unreachable", message: error.message, retryAfterMs: error.retryAfterMs };
    }
    if (this.#inFlight !== flight) return; // confirmed meanwhile
    this.#inFlight = null;
    if (answer.type === "stored") this.#finish(draft, answer, this.#onStored);
    else if (answer.type === "held") this.#finish(draft, answer, this.#onHeld);
    else this.#refuse(draft, answer);
    this.kick();
  }

  /** The server has stored or held the draft: it is not sent again. */
  #finish(draft, answer, notify) {
    this.#failures = 0;
    this.#forget(draft.client_id);
    notify(draft, answer);
  }

  #refuse(draft, { reason, message, retryAfterMs }) {
    if (reason === "signed_out") return; // kept; sent after the next log-in
    if (PASSING.has(reason)) {
      this.#failures += 1;
      if (reason === "too_fast" && retryAfterMs) this.#countDown(retryAfterMs);
      this.#wait(retryAfterMs ?? Math.min(LONGEST_WAIT_MS, 500 * 2 ** this.#failures));
    } else {
      this.slow.delete(draft.client_id);
      this.#outbox.fail(draft.client_id, message || "The server refused this message.");
    }
    this.#onChange();
  }

  #countDown(ms) {
    this.slow.clear();
    this.#onWait(ms);
    this.#waitsUntil = this.#clock.now() + ms;
    const tick = () => {
      if (this.waitMs) this.#clock.setTimeout(tick, SECOND_MS);
      this.#onChange();
    };
    this.#clock.setTimeout(tick, SECOND_MS);
  }

  #wait(ms) {
    this.#waiting = this.#clock.setTimeout(() => {
      this.#waiting = null;
      this.kick();
    }, ms);
  }

  #stopWaiting() {
    this.#clock.clearTimeout(this.#waiting);
    this.#waiting = null;
    this.#waitsUntil = 0;
  }

  #watch({ client_id }) {
    this.#clock.setTimeout(() => {
      if (this.waitMs || !this.#outbox.get(client_id) || this.#outbox.get(client_id).problem) return;
      this.slow.add(client_id);
      this.#onChange();
    }, SLOW_MS);
  }

  #forget(client_id) {
    this.slow.delete(client_id);
    this.#outbox.remove(client_id);
  }
}
