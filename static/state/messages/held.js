/* The person's own messages that wait for a moderator's approval, and those that were rejected. No DOM.

   They are not part of the room: the server keeps them apart, and says when to ask for them again. One that was
   approved is removed when it arrives among the messages. */

export class Held {
  #api;
  #onChange;
  #byId = new Map();
  #arrived = new Set(); // client ids of those that are among the messages now
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

  /** Go on from what the server knows. */
  reset(messages) {
    this.#byId = new Map(messages.filter(({ client_id }) => !this.#arrived.has(client_id)).map((each) => [each.id, each]));
    this.#onChange();
  }

  /** A draft of this page waits now, as the answer to it says. */
  add({ client_id, text, reply_to, files }, { id }, held_at) {
    this.#changes += 1;
    if (this.#byId.has(id) || this.#arrived.has(client_id)) return;
    this.#byId.set(id, { id, client_id, text, reply_to, files, held_at, state: "waiting" });
    this.#onChange();
  }

  /** A message of the person's own arrived: it is no longer waiting. */
  confirm(client_id) {
    const found = this.messages.find((each) => each.client_id === client_id);
    if (!found) return;
    this.#arrived.add(client_id);
    this.#changes += 1;
    this.#byId.delete(found.id);
    this.#onChange();
  }

  /** Something changed: ask what waits now. Asked for while an answer is on its way, once more after it. */
  async read() {
    this.#changes += 1;
    this.#reading ??= this.#readOn().finally(() => {
      this.#reading = null;
    });
    await this.#reading;
  }

  /** Take one back, or put it away; answers with what went wrong, if anything did. */
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
        // What was added, or arrived, while the answer was on its way may be missing in it: then it is asked again.
        if (seen === this.#changes) this.reset(held);
      } catch {
        return; // said elsewhere; asked again with the next connection
      }
    }
  }
}
