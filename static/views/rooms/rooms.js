/* The list of rooms: in sections, filtered by typing, arranged by the menu of each room; on a phone, a drawer. */

import { hasPart } from "../../state/kit/names.js";
import { shorten } from "../../state/rooms/rooms.js";
import { count } from "../../state/kit/text.js";
import { onKeys } from "../kit/keys.js";
import { reconcile } from "../kit/list.js";
import { makeFaces, makeIcon } from "../kit/signs.js";

export class RoomsView {
  #root;
  #lists;
  #template;
  #filter;
  #total;
  #icons;
  #isDrawer = false;
  #items = new Map();

  /** `onMenu(slug, anchor)`: the person wants to arrange a room. The menu closes the drawer; `reopen` opens it again. */
  constructor({ root, total, icons, onMenu }) {
    this.#root = root;
    this.#total = total;
    this.#icons = icons;
    this.#lists = Object.fromEntries([...root.querySelectorAll("[data-room-list]")].map((list) => [list.dataset.roomList, list]));
    this.#template = root.querySelector("[data-room-template]");
    this.#filter = root.querySelector("[data-room-filter]");
    for (const item of root.querySelectorAll("[data-room-item]")) this.#items.set(item.dataset.slug, item);
    this.#filter.addEventListener("input", () => this.#applyFilter());
    onKeys(root, (meaning, event) => this.#press(meaning, event));
    root.addEventListener("click", (event) => this.#openMenu(event, onMenu));
    for (const more of root.querySelectorAll("[data-room-more]")) makeButton(more);
    makeButton(this.#template.content.querySelector("[data-room-more]"));
    this.#applyFilter();
  }

  /** Read the list that the server rendered. */
  read() {
    return [...this.#items.values()].map(({ dataset: { slug, title, kind, notify, chosen, pausedUntil, starred, away, archived, unread, mentions, revision, read, marks, others } }) => ({
      slug,
      title,
      kind,
      notify,
      chosen,
      paused_until: pausedUntil ?? null,
      is_starred: starred !== undefined,
      is_hidden: away !== undefined,
      archived: archived !== undefined,
      unread: Number(unread),
      mentions: Number(mentions),
      revision: Number(revision),
      read_sequence: Number(read),
      unread_marks: Number(marks ?? 0),
      people: JSON.parse(others ?? "[]"),
    }));
  }

  /** Mark the conversations with one other person who has the site open. */
  showHere(rooms, isHere) {
    for (const [slug, item] of this.#items) {
      const { people = [] } = rooms.get(slug) ?? {};
      const isMarked = people.length === 1 && isHere(people[0].id);
      item.classList.toggle("room-item--here", isMarked);
      item.querySelector("[data-room-here]").textContent = isMarked ? ", here now" : "";
    }
  }

  /** `drafts` are the slugs of the other rooms with a draft. */
  show(rooms, drafts) {
    const focused = this.#root.contains(document.activeElement) ? document.activeElement : null;
    for (const [name, listed] of Object.entries(rooms.sections)) {
      const list = this.#lists[name];
      const items = listed.map((room) => this.#itemOf(room, drafts.has(room.slug)));
      if (name === "starred") list.parentElement.hidden = items.length === 0;
      // The list must not move while the person is about to click.
      const isUsed = list.matches(":hover, :focus-within") && items.every((item) => item.parentElement === list);
      if (!isUsed || list.children.length !== items.length) reconcile(list, items);
    }
    for (const slug of this.#items.keys()) if (!rooms.get(slug)) this.#items.delete(slug);
    const others = rooms.others.filter(({ isHidden }) => !isHidden);
    const elsewhere = others.reduce((sum, { unread, notify }) => sum + (notify === "none" ? 0 : unread), 0);
    this.#total.hidden = !elsewhere;
    this.#total.textContent = shorten(elsewhere);
    this.#total.classList.toggle("room-count--urgent", others.some(({ urgent }) => urgent));
    this.#applyFilter();
    if (focused && focused !== document.activeElement) this.#restoreFocus(focused);
  }

  reopen() {
    if (this.#isDrawer) this.#root.showPopover();
  }

  #openMenu(event, onMenu) {
    const more = event.target.closest("[data-room-more]");
    if (!more) return;
    event.preventDefault();
    this.#isDrawer = this.#root.matches(":popover-open");
    const place = more.getBoundingClientRect(); // the menu closes the drawer with this button
    onMenu(more.closest("[data-room-item]").dataset.slug, { getBoundingClientRect: () => place });
  }

  /** A moved element has lost the focus; from an element that is gone, the focus goes to the open room. */
  #restoreFocus(focused) {
    const isThere = focused.isConnected && focused.checkVisibility();
    (isThere ? focused : this.#root.querySelector("[aria-current=page]"))?.focus();
  }

  #itemOf(room, hasDraft) {
    const { slug, title, kind, notify, unread, urgent, isArchived } = room;
    const item = this.#items.get(slug) ?? this.#make(room);
    item.querySelector("[data-item-name]").textContent = title;
    item.querySelector("[data-room-more]").setAttribute("aria-label", `Arrange ${title}`);
    item.dataset.title = title;
    this.#markDraft(item, hasDraft);
    const isMuted = notify === "none";
    const isNews = (unread > 0 || urgent > 0) && !isMuted;
    item.classList.toggle("room-item--unread", isNews);
    item.classList.toggle("room-item--muted", isMuted);
    item.querySelector("[data-room-mark]").textContent = isArchived ? "archived" : isMuted ? "muted" : "";
    const badge = item.querySelector("[data-room-count]");
    badge.hidden = !isNews;
    badge.classList.toggle("room-count--urgent", urgent > 0);
    badge.textContent = shorten(urgent || unread);
    const news = urgent && kind !== "direct" ? `, ${count(urgent, "mention")}, ${shorten(unread)} unread` : `, ${shorten(unread)} unread`;
    item.querySelector("[data-room-heard]").textContent = `${isNews ? news : ""}${hasDraft ? ", draft" : ""}`;
    return item;
  }

  /** Only the browser knows the drafts, so that the server has no markup for them. */
  #markDraft(item, hasDraft) {
    const mark = item.querySelector("[data-room-draft]");
    if (hasDraft === Boolean(mark)) return;
    if (mark) mark.remove();
    else {
      const pencil = makeIcon(this.#icons, "edit");
      pencil.classList.add("room-item__draft");
      pencil.dataset.roomDraft = "";
      item.querySelector("[data-room-mark]").before(pencil);
    }
  }

  #make({ slug, kind, people }) {
    const item = this.#template.content.firstElementChild.cloneNode(true);
    item.dataset.slug = slug;
    item.dataset.kind = kind;
    const link = item.querySelector("a");
    link.href = this.linkTo(slug);
    item.querySelector("[data-room-more]").href = this.#root.dataset.arrangeLink.replace("~", encodeURIComponent(slug));
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
    const links = [...this.#root.querySelectorAll("[data-room-item]:not([hidden]) .room-item__link")];
    const place = links.indexOf(document.activeElement.closest("[data-room-item]")?.querySelector(".room-item__link"));
    if (meaning === "ArrowDown" && place + 1 < links.length) links[place + 1].focus();
    else if (meaning === "ArrowUp" && place > 0) links[place - 1].focus();
    else if (meaning === " " && event.target.matches("[data-room-more]")) event.target.click();
    else if (meaning === "Enter" && event.target === this.#filter) links[0]?.click();
    else if (meaning === "Escape" && this.#filter.value) {
      this.#filter.value = "";
      this.#applyFilter();
    } else return;
    event.preventDefault();
  }
}

/** Without scripts, this is a link to a page with the same changes. A button also listens to the space bar. */
function makeButton(more) {
  more.setAttribute("role", "button");
  more.setAttribute("aria-haspopup", "menu");
}
