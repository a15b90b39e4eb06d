/* Ctrl+K, on a Mac ⌘K: go to a room or a person by a part of the name. */

import { findChoices, isGroup } from "../../state/rooms/choices.js";
import { shorten } from "../../state/rooms/rooms.js";
import { onKeys } from "../kit/keys.js";
import { selectOption } from "../kit/list.js";
import { makeAvatar, makeFaces, makeIcon } from "../kit/signs.js";

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
  #isAsking = false; // whether people are being looked up
  #isWaiting = false; // whether Enter was pressed before the people were known

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
    // In a text field with a selection, the key makes a link.
    onKeys(document, (meaning, event) => meaning === SWITCHER_KEY && !event.defaultPrevented && this.#toggle(event));
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
    else if (meaning === "Enter") this.#go();
    else return;
    event.preventDefault();
  }

  #change() {
    const wanted = this.#input.value.trim();
    const rooms = [...this.#rooms.list(true), ...this.#rooms.list(false)];
    this.#isWaiting = false;
    this.#isAsking = wanted !== "";
    this.#show(findChoices(wanted, rooms));
    clearTimeout(this.#asking);
    if (!wanted) return;
    this.#asking = setTimeout(async () => {
      const people = await this.#findPeople(wanted);
      if (this.#input.value.trim() !== wanted) return;
      this.#isAsking = false;
      this.#show(findChoices(wanted, rooms, people));
      if (this.#isWaiting) this.#go();
    }, ASK_AFTER_MS);
  }

  /** Go to the chosen room or person. A group may be the first choice only until the people are known. */
  #go() {
    const { room } = this.#choices[this.#place] ?? {};
    this.#isWaiting = this.#isAsking && this.#place === 0 && (!room || isGroup(room));
    if (!this.#isWaiting) this.#list.children[this.#place]?.querySelector("a")?.click();
  }

  #describe({ room, person }) {
    if (person) return { ...person, sign: [makeAvatar(person, "tiny")] };
    return { name: room.title, url: this.#linkTo(room.slug), unread: room.unread, sign: this.#makeSign(room) };
  }

  /** The same sign as in the list of rooms. */
  #makeSign({ kind, people }) {
    if (kind === "private") return [makeIcon(this.#icons, "lock")];
    if (kind !== "direct") return ["#"];
    return people.length ? makeFaces(people) : ["@"];
  }

  #show(choices) {
    this.#choices = choices.slice(0, MOST);
    this.#list.replaceChildren(...this.#choices.map((choice, place) => makeOption(this.#describe(choice), place)));
    this.#dialog.querySelector("[data-switcher-none]").hidden = this.#choices.length > 0;
    this.#choose(0);
  }

  #choose(place) {
    this.#place = place;
    selectOption(this.#list, this.#input, place);
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
  shown.append(...sign);
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
