/* The person's own messages that are not among the others yet: on their way, failed, or waiting for approval. No DOM. */

import { Held } from "./held.js";
import { MAX_WAITING } from "./outbox.js";
import { Sender } from "./sender.js";

const CLAIM_EVERY_MS = 5000;

export class Drafts {
  #outbox;
  #connection;
  #timeline;
  #clock;
  #onChange;
  #sender;

  /** Those that wait for approval. */
  held;

  /**
   * `onChange()`: there are others, or others failed; `onStored()`: one has come into the timeline; `onWait(ms)`: the
   * next one may be sent only then.
   */
  constructor({ outbox, api, connection, timeline, clock, onChange, onStored, onWait }) {
    this.#outbox = outbox;
    this.#connection = connection;
    this.#timeline = timeline;
    this.#clock = clock;
    this.#onChange = onChange;
    this.held = new Held({ api, onChange });
    this.#sender = new Sender({
      outbox,
      connection,
      clock,
      onChange,
      onWait,
      onStored: (draft, answer) => {
        timeline.applyStored(answer, { ...draft, sent_at: timeOf(clock) });
        onStored();
      },
      onHeld: (draft, answer) => this.held.add(draft, answer, timeOf(clock)),
    });
  }

  /** Go on from what this browser kept, and from `held`, what the server says is waiting for approval. */
  start(held) {
    this.held.reset(held);
    this.#claim();
  }

  get waiting() {
    return this.#outbox.drafts;
  }

  /** The client ids of those that have waited for an answer for too long. */
  get slow() {
    return this.#sender.slow;
  }

  /** Why no other one can be kept now, or "". */
  get problem() {
    return this.#outbox.isFull ? `${MAX_WAITING} messages are waiting to be stored. Wait until some of them are.` : "";
  }

  /** Send a message as soon as it can be sent. */
  add(text, { reply_to, files }) {
    this.#outbox.add(text, { reply_to, files });
    this.#go();
  }

  /** Send a failed one again. */
  retry(client_id) {
    this.#outbox.retry(client_id);
    this.#go();
  }

  /** Discard one; answers with what it was. */
  take(client_id) {
    const draft = this.#outbox.get(client_id);
    this.#outbox.remove(client_id);
    this.#onChange();
    return draft;
  }

  /** One of them is in the room: it is no longer on its way, nor waiting. */
  confirm(client_id) {
    this.#sender.confirm(client_id);
    this.held.confirm(client_id);
  }

  /** The room can be reached again. */
  resume() {
    this.#sender.resume();
  }

  /** Another tab changed the storage. */
  notice({ key, newValue }) {
    if (this.#outbox.notice(key, newValue)) this.#onChange();
  }

  /** The page is left: another tab may have the drafts. */
  leave() {
    this.#outbox.release();
  }

  #go() {
    this.#onChange();
    this.#sender.kick();
  }

  /** Keep the drafts of this tab, take over those of tabs that are gone, and send; now and every few seconds. */
  #claim() {
    if (this.#outbox.claim()) {
      for (const { client_id } of this.waiting) if (this.#timeline.hasClientId(client_id)) this.#outbox.remove(client_id);
      this.#onChange();
    }
    this.#sender.kick();
    if (this.#connection.state.name === "polling" && !this.held.isEmpty) this.held.read();
    this.#clock.setTimeout(() => this.#claim(), CLAIM_EVERY_MS);
  }
}

function timeOf(clock) {
  return new Date(clock.now()).toISOString();
}
