/* Later: save a message, with or without a reminder; the number of due reminders in the list of rooms, and a notice of a due one. */

import { Later, TIMES } from "../../state/messages/later.js";
import { shownName } from "../../state/kit/text.js";
import { shorten } from "../../state/rooms/rooms.js";
import { MenuView } from "../kit/menu.js";
import { makeIcon } from "../kit/signs.js";

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
  #list;

  constructor({ page, asking, toast }) {
    const { data, find, times } = page;
    this.#toast = toast;
    this.#room = data.room;
    this.#times = times;
    this.#icons = data.icons;
    this.#count = find("later-count");
    this.#heard = find("later-heard");
    this.#makeNotice(find("composer-area"));
    this.#list = find("messages");
    this.#later = new Later({
      asking,
      ids: JSON.parse(data.saved),
      onCount: (count) => this.#show(count),
      onDue: (saved) => this.#announce(saved),
      onIds: () => this.#markAll(),
    });
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
      {
        name: "later",
        label: ({ id }) => (this.#later.has(id) ? "Remove from Later" : "Save for later"),
        icon: "bookmark",
        order: 105,
        key: "l",
        isFor,
        run: ({ message }) => (this.#later.has(message.id) ? this.#remove(message) : this.#save(message)),
      },
      { name: "remind", label: "Remind me…", icon: "clock", order: 106, key: "m", isFor, run: ({ message, anchor }) => this.#choose(message, anchor) },
    ];
  }

  /** Show on the element of a message whether it is saved. */
  mark(element, { id, deleted_at }) {
    const shown = element.querySelector("[data-saved]");
    if (!id || deleted_at || !this.#later.has(id)) shown?.remove();
    else if (!shown) element.append(this.#makeMark());
  }

  #markAll() {
    for (const element of this.#list.querySelectorAll("[data-message]")) {
      this.mark(element, { id: element.dataset.id, deleted_at: element.classList.contains("message--deleted") });
    }
  }

  #makeMark() {
    const mark = document.createElement("a");
    mark.className = "message__saved";
    mark.dataset.saved = "";
    mark.href = "/later";
    mark.tabIndex = -1;
    mark.setAttribute("aria-live", "off"); // the confirmation is announced
    mark.append(makeIcon(this.#icons, "bookmark"), "Saved for later");
    return mark;
  }

  #choose(message, anchor) {
    this.#menu ??= new MenuView({ icons: this.#icons });
    const items = TIMES.map(([value, label]) => ({ label, icon: "clock", run: () => this.#save(message, value) }));
    const other = { label: "At another time…", icon: "calendar", run: () => this.#save(message, "", () => location.assign("/later")) };
    this.#menu.open({ label: "When to remind you", items: [...items, other], anchor });
  }

  async #save(message, remind = "", then = null) {
    try {
      const { remind_at: at } = await this.#later.save(this.#room, message, remind);
      if (then) then();
      else this.#toast.say(at ? `Saved. The reminder comes on ${this.#times.moment(new Date(at))}.` : "Saved. You find it under Later, in the list of rooms.");
    } catch (error) {
      this.#toast.say(error.message);
    }
  }

  async #remove(message) {
    try {
      await this.#later.remove(message);
      this.#toast.say("Removed from Later.");
    } catch (error) {
      this.#toast.say(error.message);
    }
  }

  #show(count) {
    this.#count.textContent = count ? shorten(count) : "";
    this.#count.hidden = !count;
    this.#heard.textContent = count ? "due" : "";
  }

  #announce({ message, title, url, excerpt }) {
    this.#link.href = url ?? "/later";
    this.#link.textContent = message
      ? `Reminder: ${shownName(message.author)} in ${title}: ${excerpt}`
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
