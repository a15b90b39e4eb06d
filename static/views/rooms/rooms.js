/* The list of rooms: sorted, filtered by typing; on a phone, a drawer. */

import { hasPart } from "../../state/kit/names.js";
import { shorten } from "../../state/rooms/rooms.js";
import { count } from "../../state/kit/text.js";
import { onKeys } from "../kit/keys.js";
import { reconcile } from "../kit/list.js";
import { makeFaces } from "../kit/signs.js";

export class RoomsView {
  #root;
  #lists;
  #template;
  #filter;
  #total;
  #items = new Map();

  constructor({ root, total }) {
    this.#root = root;
    this.#total = total;
    this.#lists = { rooms: root.querySelector("[data-room-list=rooms]"), direct: root.querySelector("[data-room-list=direct]") };
    this.#template = root.querySelector("[data-room-template]");
    this.#filter = root.querySelector("[data-room-filter]");
    for (const item of root.querySelectorAll("[data-room-item]")) this.#items.set(item.dataset.slug, item);
    this.#filter.addEventListener("input", () => this.#applyFilter());
    onKeys(root, (meaning, event) => this.#press(meaning, event));
    this.#applyFilter();
  }

  /** Read the list that the server rendered. */
  read() {
    return [...this.#items.values()].map(({ dataset: { slug, title, kind, notify, unread, mentions, revision, read, others } }) => ({
      slug,
      title,
      kind,
      notify,
      unread: Number(unread),
      mentions: Number(mentions),
      revision: Number(revision),
      read_sequence: Number(read),
      people: JSON.parse(others ?? "[]"),
    }));
  }

  show(rooms) {
    for (const [name, list] of Object.entries(this.#lists)) {
      const items = rooms.list(name === "direct").map((room) => this.#itemOf(room));
      // The list must not move while the person is about to click.
      const isUsed = list.matches(":hover, :focus-within") && items.every((item) => item.parentElement === list);
      if (!isUsed || list.children.length !== items.length) reconcile(list, items);
    }
    for (const slug of this.#items.keys()) if (!rooms.get(slug)) this.#items.delete(slug);
    const elsewhere = rooms.others.reduce((sum, { unread, notify }) => sum + (notify === "none" ? 0 : unread), 0);
    this.#total.hidden = !elsewhere;
    this.#total.textContent = shorten(elsewhere);
    this.#total.classList.toggle("room-count--urgent", rooms.others.some(({ urgent }) => urgent));
    this.#applyFilter();
  }

  #itemOf(room) {
    const { slug, title, kind, notify, unread, urgent } = room;
    const item = this.#items.get(slug) ?? this.#make(room);
    item.querySelector("[data-item-name]").textContent = title;
    item.dataset.title = title;
    const isMuted = notify === "none";
    const isNews = (unread > 0 || urgent > 0) && !isMuted;
    item.classList.toggle("room-item--unread", isNews);
    item.classList.toggle("room-item--muted", isMuted);
    const badge = item.querySelector("[data-room-count]");
    badge.hidden = !isNews;
    badge.classList.toggle("room-count--urgent", urgent > 0);
    badge.textContent = shorten(urgent || unread);
    const heard = urgent && kind !== "direct" ? `${count(urgent, "mention")}, ${shorten(unread)} unread` : `${shorten(unread)} unread`;
    item.querySelector("[data-room-heard]").textContent = badge.hidden ? "" : `, ${heard}`;
    return item;
  }

  #make({ slug, kind, people }) {
    const item = this.#template.content.firstElementChild.cloneNode(true);
    item.dataset.slug = slug;
    item.dataset.kind = kind;
    const link = item.querySelector("a");
    link.href = this.linkTo(slug);
    for (const sign of item.querySelectorAll("[data-sign]")) if (sign.dataset.sign !== kind) sign.remove();
    item.querySelector("[data-sign=direct]")?.append(...makeFaces(people));
    this.#items.set(slug, item);
    return item;
  }

  linkTo(slug) {
    return this.#root.dataset.link.replace("~", encodeURIComponent(slug));
  }

  #applyFilter() {
    const around = this.#filter.parentElement;
    around.hidden = this.#items.size < Number(around.dataset.filterFrom);
    for (const item of this.#items.values()) item.hidden = !hasPart(item.dataset.title, this.#filter.value);
  }

  /** The keys up and down move through the rooms; Enter in the filter opens the first room. */
  #press(meaning, event) {
    const links = [...this.#root.querySelectorAll("[data-room-item]:not([hidden]) a")];
    const place = links.indexOf(document.activeElement);
    if (meaning === "ArrowDown" && place + 1 < links.length) links[place + 1].focus();
    else if (meaning === "ArrowUp" && place > 0) links[place - 1].focus();
    else if (meaning === "Enter" && event.target === this.#filter) links[0]?.click();
    else if (meaning === "Escape" && this.#filter.value) {
      this.#filter.value = "";
      this.#applyFilter();
    } else return;
    event.preventDefault();
  }
}
