/* The title and the topic of the room, and whether the person may write in it. */

import { splitAtAddresses } from "../../state/kit/links.js";

const LONGEST_TIMER_MS = 2 ** 31 - 1;

export class RoomView {
  #root;
  #find;
  #mayModerate;
  #slowSeconds;
  #closed = "";
  #mute;
  #timer;

  constructor({ root, data, find, mayModerate, times }) {
    this.#root = root;
    this.#find = find;
    this.#mayModerate = mayModerate;
    this.#slowSeconds = Number(find("composer").dataset.slowSeconds);
    this.#closed = data.closed;
    this.#mute = { message: times.restate(data.muted), until: data.mutedUntil };
    this.#show();
  }

  /** Handle a room frame. */
  apply({ title, topic, kind, slow_seconds, closed }) {
    // A direct conversation has a different title for each member.
    if (kind !== "direct") this.#find("room-heading").textContent = title;
    for (const element of this.#root.querySelectorAll("[data-room-topic]")) showTopic(element, topic);
    this.#slowSeconds = this.#mayModerate ? 0 : slow_seconds;
    this.#closed = closed[this.#mayModerate ? "moderator" : "member"] ?? "";
    this.#show();
  }

  /** Handle a mute frame: the person is muted, or (without a message) no longer. */
  mute({ message, until }) {
    this.#mute = { message, until };
    this.#show();
  }

  /** The milliseconds that the person must wait after a message. */
  waitAfter(sent_at) {
    return Math.max(0, this.#slowSeconds * 1000 - Math.max(0, Date.now() - new Date(sent_at)));
  }

  /** The person cannot write here any more. */
  close(why) {
    this.#closed = why;
    this.#show();
  }

  /** Show why the person cannot write here, or the composer. A mute ends by itself. */
  #show() {
    const { message, until } = this.#mute;
    const left = until ? new Date(until) - Date.now() : Infinity;
    clearTimeout(this.#timer);
    if (message && left > 0) this.#timer = setTimeout(() => this.#show(), Math.min(left, LONGEST_TIMER_MS));
    const why = this.#closed || (left > 0 ? message : "");
    const note = this.#find("writing-note");
    note.textContent = why;
    note.hidden = !why;
    this.#find("composer").hidden = Boolean(why);
  }
}

function showTopic(element, topic) {
  const pieces = splitAtAddresses(topic);
  element.replaceChildren(...pieces.map(({ text, isAddress }) => (isAddress ? makeLink(text) : text)));
  element.hidden = !topic;
}

function makeLink(url) {
  const link = document.createElement("a");
  link.href = url;
  link.rel = "noopener nofollow";
  link.textContent = url;
  return link;
}
