/* The person's own messages that wait for a moderator's approval, and those that were rejected. No DOM.

   They are not in the room's log: the server stores them separately, and says when to read them again. An approved
   message is removed when it arrives in the timeline. */

export class Held {
  #api;
  #onChange;
  #byId = new Map();
  #arrived = new Set(); // client ids of messages that are in the timeline now
  #changes = 0;
  #reading = null;

  constructor({ api, onChange }) {
    this.#api = api;
    this.#onChange = onChange;
  }

  /** `{id, client_id, text, held_at, reply_to, files, state, reason}`, the oldest first. */
  get messages() {
    return [...this.#byId.values()];
  }

  get isEmpty() {
    return this.#byId.size === 0;
  }

  /** Start with the server's list. */
  reset(messages) {
    this.#byId = new Map(messages.filter(({ client_id }) => !this.#arrived.has(client_id)).map((each) => [each.id, each]));
    this.#onChange();
  }

  /** The server held a draft of this page. */
  add({ client_id, text, reply_to, files }, { id }, held_at) {
    this.#changes += 1;
    if (this.#byId.has(id) || this.#arrived.has(client_id)) return;
    this.#byId.set(id, { id, client_id, text, reply_to, files, held_at, state: "waiting" });
    this.#onChange();
  }

  /** A message of the person arrived in the timeline: it is no longer held. */
  confirm(client_id) {
    const found = this.messages.find((each) => each.client_id === client_id);
    if (!found) return;
    this.#arrived.add(client_id);
    this.#changes += 1;
    this.#byId.delete(found.id);
    this.#onChange();
  }

  /** The held messages changed: read them again. A call during a request causes one more request after it. */
  async read() {
    this.#changes += 1;
    this.#reading ??= this.#readOn().finally(() => {
      this.#reading = null;
    });
    await this.#reading;
  }

  /** Withdraw a held message, or dismiss a rejected one; returns the problem, or "". */
  async withdraw(id) {
    let problem = "";
    try {
      await this.#api.withdraw(id);
      this.#changes += 1;
      this.#byId.delete(id);
      this.#onChange();
    } catch (error) {
      problem = error.message;
    }
    await this.read();
    return problem;
  }

  async #readOn() {
    for (let seen = -1; seen !== this.#changes; ) {
      seen = this.#changes;
      try {
        const { held } = await this.#api.readHeld();
        // Messages that were added or arrived during the request may be missing in its answer: then read again.
        if (seen === this.#changes) this.reset(held);
      } catch {
        return; // shown elsewhere; read again with the next connection
      }
    }
  }
}
