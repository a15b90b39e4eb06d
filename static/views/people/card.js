/* The small card of a person, over the chat: a click on a name, an avatar or a mention opens it. Without it, the same links lead to the person's page. */

import { findHue, findInitials } from "../../state/kit/text.js";
import { FOREVER_YEAR } from "../../state/people/says.js";
import { placeNear } from "../kit/dialog.js";
import { isModified, onKeys } from "../kit/keys.js";
import { showTime } from "../kit/page.js";

const OPENERS = "[data-card], .message .avatar[data-person], .mention[data-user]:not([data-user=room], [data-user=here])";
const SEEN = { here: "Here now", today: "Last seen today", week: "Last seen this week" };

export class CardView {
  #page;
  #api;
  #dialog;
  #asked = "";
  #onStatus;

  /** `onStatus()`: the person wants to set their status. */
  constructor({ page, api, onStatus }) {
    this.#page = page;
    this.#api = api;
    this.#onStatus = onStatus;
    this.#dialog = document.createElement("dialog");
    this.#dialog.className = "menu menu--card";
    this.#dialog.addEventListener("click", ({ target }) => target === this.#dialog && this.#dialog.close());
    document.body.append(this.#dialog);
    document.addEventListener("click", (event) => this.#click(event));
    onKeys(document, (meaning, event) => meaning === "Enter" && event.target.matches?.(".mention") && this.#click(event));
  }

  /** Show the card of a person next to an element. `name` is shown until the answer arrives. */
  async open({ id, name }, anchor) {
    this.#asked = id;
    this.#dialog.setAttribute("aria-label", name);
    this.#fill({ id, name });
    this.#dialog.showModal();
    placeNear(this.#dialog, anchor, getComputedStyle(anchor).direction === "rtl" ? "right" : "left");
    try {
      const card = await this.#api.readPerson(id);
      if (this.#asked !== id || !this.#dialog.open) return;
      this.#fill(card);
      this.#dialog.querySelector(".person-card__actions :is(button, a):not([hidden], [hidden] *)").focus();
    } catch (error) {
      if (this.#asked !== id || !this.#dialog.open) return;
      this.#say(error.status === 404 ? `${name} has no account here: it was deleted, or a webhook writes under this name.` : error.message);
    }
    placeNear(this.#dialog, anchor, getComputedStyle(anchor).direction === "rtl" ? "right" : "left");
  }

  #click(event) {
    const opener = event.target.closest?.(OPENERS);
    if (!opener || this.#dialog.contains(opener) || isModified(event)) return;
    const id = opener.dataset.card ?? opener.dataset.person ?? opener.dataset.user;
    if (opener.matches(".avatar") && !opener.closest(".message").querySelector("[data-author-link][data-card]")) return;
    event.preventDefault();
    this.open({ id, name: nameNear(opener) }, opener);
  }

  #fill(card) {
    const body = this.#page.find("card-template").content.cloneNode(true);
    const find = (name) => body.querySelector(`[data-card-${name}]`);
    const isKnown = Boolean(card.username);
    showAvatar(body.querySelector(".avatar"), card);
    find("name").textContent = card.name;
    find("username").textContent = isKnown ? `@${card.username}` : "";
    show(find("role"), card.role && card.role !== "member" ? card.role : "");
    const { role = "member", room_role = "member" } = card;
    show(find("room-role"), room_role !== "member" && role !== "administrator" ? `${room_role} of this room` : "");
    find("bot").hidden = !card.is_bot;
    show(find("about"), card.about ?? "");
    this.#fillStatus(find, card);
    this.#fillSeen(find("seen"), card);
    this.#fillActions(body, find, card);
    this.#dialog.replaceChildren(body);
  }

  #fillStatus(find, { status, quiet_until }) {
    const parts = status ? [status.emoji, status.text].filter(Boolean).join(" ") : "";
    show(find("status"), parts && status.until ? `${parts} · until ${this.#tell(status.until)}` : parts);
    find("quiet").hidden = !quiet_until;
    const isForever = quiet_until?.startsWith(FOREVER_YEAR);
    find("quiet-until").textContent = quiet_until && !isForever ? `, until ${this.#tell(quiet_until)}` : "";
  }

  /** A time of today without its date. */
  #tell(moment) {
    const { times } = this.#page;
    return times.dayKey(moment) === times.today ? times.clock(moment) : times.moment(moment);
  }

  #fillSeen(line, { seen, time_zone, id }) {
    const said = [SEEN[seen] ?? ""];
    line.textContent = said[0];
    if (time_zone && id !== this.#page.user.id) {
      const time = document.createElement("time");
      time.dateTime = new Date().toISOString();
      time.dataset.time = "clock";
      time.dataset.zone = time_zone;
      showTime(time, this.#page.times);
      line.append(said[0] ? " · " : "", time, " their time");
      line.title = time_zone;
    }
    line.hidden = !line.textContent;
  }

  #fillActions(body, find, { id, name, username }) {
    const isMe = id === this.#page.user.id;
    const talk = find("talk");
    talk.elements.person.value = id;
    talk.hidden = isMe;
    talk.querySelector("button").setAttribute("aria-label", `Message ${name}`);
    const own = find("own");
    own.hidden = !isMe;
    own.addEventListener("click", (event) => {
      event.preventDefault();
      this.#dialog.close();
      this.#onStatus();
    });
    find("link").href = `/people/${id}?${new URLSearchParams({ room: this.#page.data.room })}`;
    body.querySelector(".person-card__actions").hidden = !username;
  }

  #say(text) {
    const line = this.#dialog.querySelector("[data-card-seen]");
    line.textContent = text;
    line.hidden = false;
  }
}

function nameNear(opener) {
  const near = opener.closest("[data-message], .person") ?? opener;
  if (opener.matches(".mention")) return opener.textContent.replace(/^@/, "");
  return near.querySelector("[data-author-name], .person__name")?.textContent ?? opener.textContent;
}

function show(element, text) {
  element.textContent = text;
  element.hidden = !text;
}

function showAvatar(avatar, { id, name }) {
  avatar.dataset.person = id;
  avatar.dataset.initials = findInitials(name);
  avatar.classList.add(`hue-${findHue(id)}`);
}
