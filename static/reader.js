/* What is read and from where: the timeline on the screen, older pages, the "3 new" that waits below, and the title. */

import { ApiError } from "./api.js";
import { Scroller } from "./views/scroller.js";
import { TimelineView } from "./views/timeline.js";

/** How many messages the page holds while its reader is at the end, and at most while they read above. */
const KEPT_AT_END = 500;
const KEPT_ABOVE = 2000;
const OLDER = "Older messages";
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
  #title;
  #observer;
  #unseen = 0; // arrived below what is being read
  #unread = 0; // arrived while the page was out of sight
  #loading = null;

  constructor({ find, api, timeline, messageView, times, title }) {
    this.#api = api;
    this.#timeline = timeline;
    this.#log = find("log");
    this.#view = new TimelineView({ list: find("messages"), dayTemplate: find("day-template"), messageView, times });
    this.#scroller = new Scroller({ log: this.#log, content: find("messages"), onMove: () => this.#moved() });
    this.#older = find("older");
    this.#olderLink = find("older-link");
    this.#olderLink.href = "#";
    this.#olderLink.textContent = OLDER;
    this.#pill = makePill(find("composer-area"));
    this.#empty = find("empty");
    this.#title = title;
    this.#pill.addEventListener("click", () => this.#follow());
    this.#olderLink.addEventListener("click", (event) => {
      event.preventDefault();
      this.loadOlder();
    });
    this.#observer = new IntersectionObserver(([entry]) => entry.isIntersecting && this.loadOlder(), {
      root: this.#log,
      rootMargin: "600px 0px 0px",
    });
    this.#observer.observe(this.#older);
  }

  /** Go on from the page that the server sent. */
  start({ cursor, hasOlder }) {
    this.#timeline.reset({ messages: this.#view.adopt(), revision: cursor, hasOlder });
    this.#log.classList.remove("log--from-end");
    this.show();
    this.#scroller.toEnd();
  }

  /** Bring the screen in step with the timeline, without moving what is being read. */
  show(also = () => {}) {
    if (this.#scroller.isAtEnd) this.#timeline.trimOldest(KEPT_AT_END);
    else this.#timeline.trimNewest(KEPT_ABOVE);
    this.keepPlace(() => {
      this.#view.render(this.#timeline.messages);
      this.#older.hidden = !this.#timeline.hasOlder;
      also();
    });
    this.#showPill();
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
    this.#showTitle();
  }

  /** The page is looked at again. */
  look() {
    this.#unread = 0;
    this.#showTitle();
  }

  /** The person wrote something: what they wrote is at the end. */
  async goToEnd() {
    this.#unseen = 0;
    this.#view.markSequence = null;
    if (this.#timeline.isDetached) await this.#loadNewest();
    this.#scroller.toEnd();
    this.show();
  }

  loadOlder() {
    this.#loading ??= this.#loadOlder().finally(() => {
      this.#loading = null;
    });
    return this.#loading;
  }

  async #loadOlder() {
    if (!this.#timeline.hasOlder) return;
    this.#olderLink.textContent = "Loading older messages…";
    this.#timeline.expectPage();
    try {
      const { messages, more } = await this.#api.readHistory(this.#timeline.oldestSequence);
      this.#timeline.applyHistory({ messages, hasOlder: more && messages.length > 0 });
      this.#olderLink.textContent = OLDER;
      this.#watchOlderAgain();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#timeline.forgetPage();
      this.#olderLink.textContent = "Older messages could not be loaded. Try again";
    }
    this.#showQuietly();
  }

  /** What is old is not news: nobody wants fifty messages read aloud. */
  #showQuietly() {
    this.#log.setAttribute("aria-live", "off");
    this.show();
    setTimeout(() => this.#log.setAttribute("aria-live", "polite"), QUIET_MS);
  }

  async #loadNewest() {
    await this.#loading;
    this.#timeline.expectPage();
    try {
      const { messages, revision, more } = await this.#api.readNewest();
      this.#timeline.reset({ messages, revision, hasOlder: more });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#timeline.forgetPage();
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
    if (this.#scroller.isAtEnd && !this.#timeline.isDetached) this.#unseen = 0;
    this.#showPill();
  }

  #showPill() {
    const isAway = this.#timeline.isDetached || this.#scroller.isFarFromEnd;
    this.#pill.hidden = !this.#unseen && !isAway;
    this.#pill.textContent = this.#unseen ? `${this.#unseen} new` : "To the newest";
  }

  #showTitle() {
    document.title = this.#unread ? `(${this.#unread}) ${this.#title}` : this.#title;
  }

  /** An observer tells of changes only: a page that fills less than the screen needs the next one. */
  #watchOlderAgain() {
    this.#observer.unobserve(this.#older);
    this.#observer.observe(this.#older);
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
