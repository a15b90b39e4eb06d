/* The bell of the room: what notifies the reader here. The same form works without scripts. */

import { ApiError } from "../../state/live/api.js";
import { showTime } from "../kit/page.js";

const PAUSE = "tomorrow";
const TOLD = { all: "all messages", mentions: "mentions", none: "nothing" };

export class BellView {
  #page;
  #api;
  #toast;
  #bell;
  #menu;

  constructor({ page, api, toast }) {
    this.#page = page;
    this.#api = api;
    this.#toast = toast;
    this.#bell = page.find("bell");
    this.#menu = page.find("bell-menu");
    this.#menu.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#choose(event.submitter.value);
    });
  }

  /** Show what notifies the reader: `notify` now, `chosen` after a pause until `paused_until`. */
  show({ notify, chosen, paused_until }) {
    const { room, times } = this.#page;
    room.notify = notify;
    const paused = this.#menu.querySelector("[data-paused]");
    paused.hidden = !paused_until;
    paused.replaceChildren(...(paused_until ? [makeTime(paused_until, times)] : []));
    const now = paused_until ? PAUSE : room.kind === "direct" && chosen === "all" ? "mentions" : chosen;
    for (const item of this.#menu.querySelectorAll("[data-sign]")) {
      item.ariaPressed = String(item.value === now);
      if (item.value === now) this.#showOnBell(item);
    }
  }

  #showOnBell(item) {
    const use = this.#bell.querySelector("use");
    use.setAttribute("href", `${this.#page.data.icons}#${item.dataset.sign}`);
    this.#bell.ariaLabel = `Notify me about: ${item.dataset.name}`;
  }

  #tell({ notify, paused_until }) {
    const { room, times } = this.#page;
    if (paused_until) return `Nothing from ${room.title} until ${times.soon(paused_until)}.`;
    return `You are told of ${TOLD[room.kind === "direct" && notify !== "none" ? "all" : notify]} in ${room.title}.`;
  }

  async #choose(choice) {
    this.#menu.hidePopover();
    try {
      const now = await this.#api.arrange(this.#page.room.slug, { notify: choice });
      this.show(now);
      this.#toast.say(this.#tell(now));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#toast.say(error.message);
    }
  }
}

function makeTime(moment, times) {
  const time = document.createElement("time");
  time.dateTime = moment;
  time.dataset.time = "full";
  showTime(time, times);
  return time;
}
