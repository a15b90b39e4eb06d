/* Ctrl+K, on a Mac ⌘K: go to a room or a person by a part of the name. */

import { fold, hasPart } from "../../state/kit/names.js";
import { shorten } from "../../state/rooms/rooms.js";
import { onKeys } from "../kit/keys.js";
import { makeAvatar, makeIcon } from "../kit/signs.js";

export const SWITCHER_KEY = "Mod+k";
const MOST = 12;
const ASK_AFTER_MS = 150;

export class Switcher {
  #dialog;
  #input;
  #list;
  #rooms;
  #linkTo;
  #findPeople;
  #icons;
  #asking;
  #choices = [];
  #place = 0;

  /** `findPeople(text)` returns people, each as `{id, name, url}`. */
  constructor({ dialog, rooms, linkTo, findPeople, icons }) {
    this.#dialog = dialog;
    this.#input = dialog.querySelector("[data-switcher-text]");
    this.#list = dialog.querySelector("[data-switcher-list]");
    this.#rooms = rooms;
    this.#linkTo = linkTo;
    this.#findPeople = findPeople;
    this.#icons = icons;
    this.#input.addEventListener("input", () => this.#change());
    onKeys(dialog, (meaning, event) => this.#press(meaning, event));
    dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
    onKeys(document, (meaning, event) => meaning === SWITCHER_KEY && this.#toggle(event));
  }

  open() {
    if (this.#dialog.open) return;
    this.#input.value = "";
    this.#dialog.showModal();
    this.#change();
  }

  #toggle(event) {
    event.preventDefault();
    if (this.#dialog.open) this.#dialog.close();
    else this.open();
  }

  #press(meaning, event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[meaning];
    if (step) this.#choose((this.#place + step + this.#choices.length) % Math.max(this.#choices.length, 1));
    else if (meaning === "Enter") this.#list.children[this.#place]?.querySelector("a")?.click();
    else return;
    event.preventDefault();
  }

  #change() {
    const wanted = this.#input.value.trim();
    const rooms = this.#findRooms(wanted);
    this.#show(rooms);
    clearTimeout(this.#asking);
    if (!wanted) return;
    this.#asking = setTimeout(async () => {
      const people = await this.#findPeople(wanted);
      if (this.#input.value.trim() === wanted) this.#show([...rooms, ...people.map((person) => ({ ...person, sign: makeAvatar(person, "tiny") }))]);
    }, ASK_AFTER_MS);
  }

  /** Titles that start with the text come before titles that contain it; without a text, unread rooms come first. */
  #findRooms(wanted) {
    const rooms = [...this.#rooms.list(true), ...this.#rooms.list(false)];
    const found = rooms.filter(({ title }) => hasPart(title, wanted));
    const rank = ({ title, urgent, unread }) => (wanted && fold(title).startsWith(fold(wanted)) ? -9 : 0) - (urgent ? 2 : unread ? 1 : 0);
    found.sort((a, b) => rank(a) - rank(b));
    return found.map((room) => ({ name: room.title, url: this.#linkTo(room.slug), unread: room.unread, sign: this.#makeSign(room) }));
  }

  /** The same sign as in the list of rooms. */
  #makeSign({ kind, title, people }) {
    if (kind === "private") return makeIcon(this.#icons, "lock");
    if (kind !== "direct") return "#";
    return people.length ? makeAvatar({ id: people[0].id, name: title }, "tiny") : "@";
  }

  #show(choices) {
    this.#choices = choices.slice(0, MOST);
    this.#list.replaceChildren(...this.#choices.map(makeOption));
    this.#dialog.querySelector("[data-switcher-none]").hidden = this.#choices.length > 0;
    this.#choose(0);
  }

  #choose(place) {
    this.#place = place;
    [...this.#list.children].forEach((option, each) => option.setAttribute("aria-selected", String(each === place)));
    const option = this.#list.children[place];
    option?.scrollIntoView({ block: "nearest" });
    this.#input.setAttribute("aria-activedescendant", option?.id ?? "");
  }
}

function makeOption({ name, url, unread, sign }, place) {
  const option = document.createElement("li");
  option.id = `switcher-${place}`;
  option.setAttribute("role", "option");
  option.className = "switcher__option";
  const link = document.createElement("a");
  link.href = url;
  link.tabIndex = -1;
  link.className = "switcher__link";
  const shown = makeSpan("switcher__sign", "");
  shown.append(sign);
  link.append(shown, makeSpan("switcher__name", name));
  if (unread) link.append(makeSpan("room-count", shorten(unread)));
  option.append(link);
  return option;
}

function makeSpan(className, text) {
  const span = document.createElement("span");
  span.className = className;
  span.textContent = text;
  return span;
}
