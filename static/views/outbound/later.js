/* Later: save a message, with or without a reminder; the number of due reminders in the list of rooms, and a notice of a due one. */

import { Later, TIMES } from "../../state/messages/later.js";
import { shownName } from "../../state/kit/text.js";
import { shorten } from "../../state/rooms/rooms.js";
import { MenuView } from "../kit/menu.js";

export class LaterView {
  #later;
  #toast;
  #room;
  #times;
  #icons;
  #menu = null;
  #count;
  #heard;
  #notice;
  #link;

  constructor({ page, asking, toast }) {
    const { data, find, times } = page;
    this.#toast = toast;
    this.#room = data.room;
    this.#times = times;
    this.#icons = data.icons;
    this.#count = find("later-count");
    this.#heard = find("later-heard");
    this.#makeNotice(find("composer-area"));
    this.#later = new Later({ asking, onCount: (count) => this.#show(count), onDue: (saved) => this.#announce(saved) });
  }

  receive(frame) {
    this.#later.receive(frame);
  }

  connected({ name }) {
    this.#later.connected(name);
  }

  /** The actions for the class `Actions`. */
  get actions() {
    const isFor = ({ kind = "message", deleted_at }) => kind === "message" && !deleted_at;
    return [
      { name: "later", label: "Save for later", icon: "bookmark", order: 105, key: "l", isFor, run: ({ message }) => this.#save(message) },
      { name: "remind", label: "Remind me…", icon: "clock", order: 106, key: "m", isFor, run: ({ message, anchor }) => this.#choose(message, anchor) },
    ];
  }

  #choose(message, anchor) {
    this.#menu ??= new MenuView({ icons: this.#icons });
    const items = TIMES.map(([value, label]) => ({ label, icon: "clock", run: () => this.#save(message, value) }));
    const other = { label: "At another time…", icon: "calendar", run: () => this.#save(message, "", () => location.assign("/later")) };
    this.#menu.open({ label: "When to remind you", items: [...items, other], anchor });
  }

  async #save(message, remind = "", then = null) {
    try {
      const { remind_at: at } = await this.#later.save(this.#room, message.sequence, remind);
      if (then) then();
      else this.#toast.say(at ? `Saved. The reminder comes on ${this.#times.moment(new Date(at))}.` : "Saved. You find it under Later, in the list of rooms.");
    } catch (error) {
      this.#toast.say(error.message);
    }
  }

  #show(count) {
    this.#count.textContent = count ? shorten(count) : "";
    this.#count.hidden = !count;
    this.#heard.textContent = count ? "due" : "";
  }

  #announce({ message, title, url }) {
    this.#link.href = url ?? "/later";
    this.#link.textContent = message
      ? `Reminder: ${shownName(message.author)} in ${title}: ${message.text.replace(/\s+/g, " ").slice(0, 100)}`
      : "A reminder is due.";
    this.#notice.hidden = false;
  }

  /** It stays until the person follows or closes it: a reminder that goes away by itself reminds nobody. */
  #makeNotice(place) {
    this.#notice = document.createElement("div");
    this.#notice.className = "due-notice";
    this.#notice.setAttribute("role", "status");
    this.#notice.hidden = true;
    this.#link = document.createElement("a");
    this.#link.className = "due-notice__link";
    this.#link.dir = "auto";
    const close = document.createElement("button");
    close.type = "button";
    close.className = "due-notice__close";
    close.setAttribute("aria-label", "Close");
    close.textContent = "×";
    close.addEventListener("click", () => {
      this.#notice.hidden = true;
    });
    this.#notice.append(this.#link, close);
    place.prepend(this.#notice);
  }
}
