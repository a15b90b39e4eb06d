/* The title and the topic of the room, and whether the person may write in it. */

import { showTimes } from "../kit/page.js";

export class RoomView {
  #find;
  #mayModerate;
  #slowSeconds;

  constructor({ find, mayModerate, times }) {
    showTimes(find("writing-note"), times);
    this.#find = find;
    this.#mayModerate = mayModerate;
    this.#slowSeconds = Number(find("composer").dataset.slowSeconds);
  }

  /** Handle a room frame. */
  apply({ title, topic, kind, slow_seconds, closed }) {
    // A direct conversation has a different title for each member.
    if (kind !== "direct") this.#find("room-heading").textContent = title;
    this.#find("room-topic").textContent = topic;
    this.#slowSeconds = this.#mayModerate ? 0 : slow_seconds;
    this.close(closed[this.#mayModerate ? "moderator" : "member"] ?? "");
  }

  /** The milliseconds that the person must wait after a message. */
  waitAfter(sent_at) {
    return Math.max(0, this.#slowSeconds * 1000 - Math.max(0, Date.now() - new Date(sent_at)));
  }

  /** Show why the person cannot write here; "" opens the composer. */
  close(why) {
    const note = this.#find("writing-note");
    note.textContent = why;
    note.hidden = !why;
    this.#find("composer").hidden = Boolean(why);
  }
}
