/* The person's messages that are not in the timeline yet: being sent, failed, or waiting for approval. No DOM. */

import { shortly } from "../kit/times.js";
import { Held } from "./held.js";
import { MAX_WAITING } from "./outbox.js";
import { Sender } from "./sender.js";

const CLAIM_EVERY_MS = 5000;
const WAITING = {
  offline: "Waiting until you are online again.",
  reconnecting: "Waiting for the connection.",
  connecting: "Waiting for the connection.",
  signed_out: "Kept here. It will be sent after you log in.",
  stale: "Kept here. It will be sent after you reload the page.",
  closed: "Kept here.",
};

export class Drafts {
  #outbox;
  #connection;
  #timeline;
  #clock;
  #onChange;
  #sender;

  /** The held messages. */
  held;

  /**
   * `onChange()`: the drafts or their states changed; `onStored()`: a draft was added to the timeline; `onWait(ms)`: the
   * next draft must wait this long.
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

  /** Start with the drafts in this browser's storage, and with `held`, the held messages that the server sent. */
  start(held) {
    this.held.reset(held);
    this.#claim();
  }

  get waiting() {
    return this.#outbox.drafts;
  }

  /** What happens to a draft, as a sentence. */
  explain({ client_id, problem }) {
    const { waitMs, slow } = this.#sender;
    const { name } = this.#connection.state;
    if (problem) return `Not sent. ${problem}`;
    if (WAITING[name]) return WAITING[name];
    if (waitMs) return client_id === this.#outbox.next.client_id ? `Waiting ${shortly(waitMs)}` : "Waiting for the message above.";
    return slow.has(client_id) ? "Not stored yet, still trying." : "Sending…";
  }

  /** Why the outbox takes no further draft, or "". */
  get problem() {
    return this.#outbox.isFull ? `${MAX_WAITING} messages are waiting to be stored. Wait until some of them are.` : "";
  }

  /** Send a message as soon as possible. */
  add(text, { reply_to, files }) {
    this.#outbox.add(text, { reply_to, files });
    this.#go();
  }

  /** Send a failed draft again. */
  retry(client_id) {
    this.#outbox.retry(client_id);
    this.#go();
  }

  /** Discard a draft; returns it. */
  take(client_id) {
    const draft = this.#outbox.get(client_id);
    this.#outbox.remove(client_id);
    this.#onChange();
    return draft;
  }

  /** A message arrived in the timeline: it is no longer a draft or held. */
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

  /** The page is closed: another tab may take over the drafts. */
  leave() {
    this.#outbox.release();
  }

  #go() {
    this.#onChange();
    this.#sender.kick();
  }

  /** Renew the claim on this tab's drafts, take over those of closed tabs, and send; now and every few seconds. */
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
