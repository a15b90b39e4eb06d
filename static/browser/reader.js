/* What is read and from where: the timeline on the screen, older pages, the "3 new" that waits below, and the title. */

import { ApiError } from "../state/api.js";
import { Scroller } from "../views/messages/scroller.js";
import { TimelineView } from "../views/messages/timeline.js";

/** How many messages the page holds while its reader is at the end, and at most while they read above. */
const KEPT_AT_END = 500;
const KEPT_ABOVE = 2000;
const OLDER = "Older messages";
const NEWER = "Newer messages";
const QUIET_MS = 1000;

export class Reader {
  #api;
  #timeline;
  #log;
  #view;
  #scroller;
  #older;
  #olderLink;
  #pill;
  #empty;
  #onSeen;
  #onGo;
  #isBehind = false; // since the page was opened, at the line before what is new
  #readTo = 0; // until the line before what is new since then has its place
  #target = null; // the message that the reader was led to
  #newer;
  #newerLink;
  #observer;
  #unseen = 0; // arrived below what is being read
  #unread = 0; // arrived while the page was out of sight
  #loading = null;

  /** `onSeen(sequence)`: it was read as far as this. `onGo(sequence)`: the reader was led to a message, or (null) back to the newest. */
  constructor({ find, api, timeline, messageView, times, onSeen, onGo }) {
    this.#api = api;
    this.#timeline = timeline;
    this.#log = find("log");
    this.#view = new TimelineView({ list: find("messages"), dayTemplate: find("day-template"), messageView, times });
    this.#scroller = new Scroller({ log: this.#log, content: find("messages"), onMove: () => this.#moved() });
    this.#older = find("older");
    this.#olderLink = find("older-link");
    this.#olderLink.href = "#";
    this.#olderLink.textContent = OLDER;
    this.#newer = find("newer");
    this.#newerLink = find("newer-link");
    this.#newerLink.href = "#";
    this.#newerLink.textContent = NEWER;
    this.#pill = makePill(find("composer-area"));
    this.#empty = find("empty");
    this.#onSeen = onSeen;
    this.#onGo = onGo;
    this.#pill.addEventListener("click", () => this.#follow());
    this.#olderLink.addEventListener("click", (event) => {
      event.preventDefault();
      this.loadOlder();
    });
    this.#newerLink.addEventListener("click", (event) => {
      event.preventDefault();
      this.loadNewer();
    });
    this.#observer = new IntersectionObserver((entries) => this.#reach(entries), { root: this.#log, rootMargin: "600px 0px" });
    this.#observer.observe(this.#older);
    this.#observer.observe(this.#newer);
  }

  /** Go on from the page that the server sent. */
  start({ cursor, hasOlder, hasNewer, target, readTo }) {
    this.#timeline.reset({ messages: this.#view.adopt(), revision: cursor, hasOlder, hasNewer });
    this.#log.classList.remove("log--from-end");
    this.#target = target;
    this.#readTo = readTo;
    this.#placeMark();
    this.#scroller.isAtEnd = false;
    this.show();
    if (target) this.#scroller.toMiddle(this.#view.elementOf(target));
    else if (this.#view.mark) this.#scroller.toElement(this.#view.mark);
    else this.#scroller.toEnd();
    this.#isBehind = Boolean(this.#view.mark) && !this.#scroller.isAtEnd;
    this.#showPill();
    this.#see();
  }

  /** Bring the screen in step with the timeline, without moving what is being read. */
  show(also = () => {}) {
    this.#scroller.isLive = !this.#timeline.isDetached;
    if (!this.#log.querySelector(".editor")) this.#trim(); // what is being edited is not let go of
    this.keepPlace(() => {
      this.#view.render(this.#timeline.messages);
      this.#older.hidden = !this.#timeline.hasOlder;
      this.#newer.hidden = !this.#timeline.isDetached;
      also();
    });
    this.#showPill();
    this.#see();
  }

  /** The element of the newest message that is so. */
  findElement(isSo) {
    const message = this.#timeline.messages.findLast(isSo);
    return message && this.#view.elementOf(message.sequence);
  }

  renewQuotes() {
    this.#view.renewQuotes();
  }

  #trim() {
    if (this.#scroller.isAtEnd) this.#timeline.trimOldest(KEPT_AT_END);
    else this.#timeline.trimNewest(KEPT_ABOVE);
  }

  keepPlace(change) {
    this.#scroller.keepPlace(change);
  }

  showEmpty(hasNoDrafts) {
    if (this.#empty) this.#empty.hidden = !(hasNoDrafts && this.#timeline.messages.length === 0);
  }

  /** New messages came, live or after an absence. */
  take(arrived, { isMissed }) {
    const others = arrived.filter(({ author }) => author.id !== this.#timeline.user.id);
    if (!others.length) return;
    const isHidden = document.visibilityState !== "visible";
    if (isHidden || isMissed || !this.#scroller.isAtEnd) {
      if (!this.#unseen && !this.#unread && !(isMissed && this.#view.mark)) this.#view.markSequence = findFirst(others);
    }
    if (isHidden) this.#unread += others.length;
    if (!this.#scroller.isAtEnd) this.#unseen += others.length;
  }

  /** The page is looked at again. */
  look() {
    this.#unread = 0;
    this.#see();
  }

  /** The person wrote something: what they wrote is at the end. */
  async goToEnd() {
    this.#unseen = 0;
    this.#readTo = 0;
    this.#view.markSequence = null;
    if (this.#timeline.isDetached) await this.#loadNewest();
    if (this.#target) this.#lead(null);
    this.#scroller.toEnd();
    this.show();
  }

  /** Show a message in its surroundings, and mark it; answers whether it could be found. */
  async goTo(sequence) {
    if (!this.#timeline.find(sequence) && !(await this.#loadAround(sequence))) return false;
    this.#scroller.isAtEnd = false;
    this.#showQuietly();
    const element = this.#view.elementOf(sequence);
    if (!element) return false;
    this.#lead(sequence);
    this.#scroller.toMiddle(element);
    return true;
  }

  #lead(sequence) {
    this.#target = sequence;
    this.#view.target(sequence);
    this.#onGo(sequence);
  }

  loadOlder() {
    return this.#loadOnce(() => this.#loadOlder());
  }

  loadNewer() {
    return this.#loadOnce(() => this.#loadNewer());
  }

  #loadOnce(load) {
    this.#loading ??= load().finally(() => {
      this.#loading = null;
    });
    return this.#loading;
  }

  #reach(entries) {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting) (target === this.#older ? this.loadOlder() : this.loadNewer());
    }
  }

  async #loadOlder() {
    if (!this.#timeline.hasOlder) return;
    this.#olderLink.textContent = "Loading older messages…";
    this.#timeline.expectPage();
    try {
      const { messages, more } = await this.#api.readHistory(this.#timeline.oldestSequence);
      this.#timeline.applyHistory({ messages, hasOlder: more && messages.length > 0 });
      this.#placeMark();
      this.#olderLink.textContent = OLDER;
      this.#watchAgain();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#timeline.forgetPage();
      this.#olderLink.textContent = "Older messages could not be loaded. Try again";
    }
    this.#showQuietly();
  }

  async #loadNewer() {
    if (!this.#timeline.isDetached) return;
    this.#newerLink.textContent = "Loading newer messages…";
    this.#timeline.expectPage();
    try {
      const { messages, more } = await this.#api.readSince(this.#timeline.newestSequence + 1);
      this.#timeline.applyNewer({ messages, hasNewer: more });
      this.#newerLink.textContent = NEWER;
      this.#watchAgain();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#timeline.forgetPage();
      this.#newerLink.textContent = "Newer messages could not be loaded. Try again";
    }
    this.#showQuietly();
  }

  /** What is old is not news: nobody wants fifty messages read aloud. */
  #showQuietly() {
    this.#log.setAttribute("aria-live", "off");
    this.show();
    setTimeout(() => this.#log.setAttribute("aria-live", "polite"), QUIET_MS);
  }

  #loadNewest() {
    return this.#beginAnew(() => this.#api.readNewest());
  }

  #loadAround(sequence) {
    return this.#beginAnew(() => this.#api.readAround(sequence));
  }

  /** Show another part of the room instead; answers whether it could be read. */
  async #beginAnew(read) {
    while (this.#loading) await this.#loading; // a page of the old part must not come into the new one
    return this.#loadOnce(() => this.#readAnew(read));
  }

  async #readAnew(read) {
    this.#timeline.expectPage();
    try {
      const { messages, revision, more, newer } = await read();
      this.#timeline.reset({ messages, revision, hasOlder: more, hasNewer: newer });
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#timeline.forgetPage();
      return false;
    }
  }

  /** The pill leads to the first that is new, or to the end. */
  async #follow() {
    if (this.#timeline.isDetached) {
      await this.goToEnd();
      return;
    }
    const mark = this.#unseen ? this.#view.mark : null;
    if (mark) this.#scroller.toElement(mark);
    else this.#scroller.toEnd();
    this.#unseen = 0;
    this.#showPill();
  }

  #moved() {
    if (this.#scroller.isAtEnd && !this.#timeline.isDetached) {
      this.#unseen = 0;
      this.#isBehind = false;
    }
    this.#showPill();
    this.#see();
  }

  /** Draw the line before what others wrote since the last visit, once its place is among what is loaded. */
  #placeMark() {
    const { messages, hasOlder, user } = this.#timeline;
    if (!this.#readTo || !messages.length || (hasOlder && messages[0].sequence > this.#readTo)) return;
    const isNew = ({ sequence, author, kind }) => sequence > this.#readTo && author.id !== user.id && kind !== "event";
    this.#view.markSequence ??= messages.find(isNew)?.sequence ?? null;
    this.#readTo = 0;
  }

  #see() {
    const isSeen = this.#scroller.isAtEnd && !this.#timeline.isDetached && document.visibilityState === "visible";
    if (isSeen) this.#onSeen(this.#timeline.newestSequence);
  }

  #showPill() {
    const isAway = this.#timeline.isDetached || this.#scroller.isFarFromEnd || this.#isBehind;
    this.#pill.hidden = !this.#unseen && !isAway;
    const text = this.#unseen ? `${this.#unseen} new` : "Go to the newest";
    // This runs with every frame of scrolling: the same text set again would be laid out again.
    if (this.#pill.textContent !== text) this.#pill.textContent = text;
  }

  /** An observer tells of changes only: a page that fills less than the screen needs the next one,
      and the other end may have come into view while this one was loaded. */
  #watchAgain() {
    for (const end of [this.#older, this.#newer]) {
      this.#observer.unobserve(end);
      this.#observer.observe(end);
    }
  }
}

function makePill(place) {
  const pill = document.createElement("button");
  pill.type = "button";
  pill.className = "new-pill";
  pill.hidden = true;
  place.prepend(pill);
  return pill;
}

/** Changes come in the order of their revisions: what was edited since comes late. */
function findFirst(messages) {
  return Math.min(...messages.map(({ sequence }) => sequence));
}
