/* The messages on the screen and the reader's place in them: older and newer pages, and the button that goes to new messages. */

import { News, Pages } from "../../state/messages/reading.js";
import { isModified } from "../kit/keys.js";
import { Scroller } from "./scroller.js";
import { TimelineView } from "./timeline.js";

const QUIET_MS = 1000;

export class Reader {
  #data;
  #timeline;
  #messageView;
  #log;
  #view;
  #scroller;
  #pages;
  #ends;
  #pill;
  #attention;
  #following;
  #target = null; // the message that the person went to
  #clicked = 0; // the message whose notification the person clicked
  #waitedAt = null; // the mark at which the log stopped while the person was away
  #isBehind = false; // since the page was opened, the reader is at the line "New"

  /** Which messages are new. */
  news;

  /** `attention` knows whether the person looks at the page; `following` keeps the read position. */
  constructor({ page, api, timeline, messageView, toast, attention, following }) {
    const { data, find, times } = page;
    this.#data = data;
    this.#timeline = timeline;
    this.#messageView = messageView;
    this.#attention = attention;
    this.#following = following;
    this.#log = find("log");
    const list = find("messages");
    this.#view = new TimelineView({ list, dayTemplate: find("day-template"), messageView, times });
    this.#scroller = new Scroller({ log: this.#log, content: list, onMove: () => this.#moved() });
    this.#pages = new Pages({ api, timeline, onState: (end, state) => this.#showLoading(end, state) });
    this.news = new News({ timeline });
    this.#pill = makePill(find("composer-line"), () => this.#follow());
    this.#ends = new Ends({ find, log: this.#log, load: { older: () => this.#pages.loadOlder(), newer: () => this.#pages.loadNewer() } });
    followLinks(list, async (sequence) => {
      if (!(await this.goTo(sequence))) toast.say("This message cannot be shown now.");
    });
  }

  /** Start from the page that the server rendered. */
  start() {
    const { cursor, hasOlder, hasNewer, target, read, unreadFrom } = this.#data;
    const messages = this.#view.adopt();
    this.#timeline.reset({ messages, revision: Number(cursor), hasOlder: hasOlder === "true", hasNewer: hasNewer === "true" });
    this.#log.classList.remove("log--from-end");
    this.#target = target ? Number(target) : null;
    if (takeClick()) this.#clicked = this.#target;
    // A notification of the message that is the address already does not load the page again.
    window.addEventListener("hashchange", () => {
      if (!takeClick() || !this.#target) return;
      this.#clicked = this.#target;
      this.goTo(this.#target);
    });
    this.news.start(Number(read), Number(unreadFrom));
    this.#scroller.isAtEnd = false;
    this.show();
    if (this.#target) this.#scroller.toMiddle(this.#view.elementOf(this.#target));
    else if (this.#view.mark) this.#scroller.toElement(this.#view.mark);
    else this.#scroller.toEnd();
    this.#isBehind = Boolean(this.#view.mark) && !this.#scroller.isAtEnd;
    this.#update();
  }

  /** Update the screen from the timeline, without moving the text that the reader is reading. */
  show(also = () => {}) {
    this.#scroller.isLive = !this.#timeline.isDetached;
    if (!this.#log.querySelector(".editor")) this.#pages.trim(this.#scroller.isAtEnd); // a message that is being edited is kept
    this.keepPlace(() => {
      this.#view.render(this.#timeline.messages, this.news.mark);
      this.#ends.show({ older: this.#timeline.hasOlder, newer: this.#timeline.isDetached });
      also();
    });
    if (this.news.isWaiting && this.news.mark !== this.#waitedAt && this.#view.mark && this.#scroller.isAtEnd) {
      this.#scroller.toElement(this.#view.mark); // while the person is away, the first new message stays in view
      this.#isBehind = !this.#scroller.isAtEnd;
      if (this.#isBehind) this.#waitedAt = this.news.mark; // then the person may scroll the window without its focus
    }
    this.#update();
  }

  keepPlace(change) {
    this.#scroller.keepPlace(change);
  }

  /** The element of the newest message for which the condition is true. */
  findElement(isSo) {
    const message = this.#timeline.messages.findLast(isSo);
    return message && this.#view.elementOf(message.sequence);
  }

  renewQuotes() {
    this.#view.renewQuotes();
  }

  /** New messages arrived, live or after an absence. */
  take(arrived, { isMissed }) {
    this.news.take(arrived, { isMissed, isAway: !this.#attention.isHere, isAtEnd: this.#scroller.isAtEnd });
  }

  /** The person looks at the page again. */
  look() {
    this.news.look();
    this.#update();
  }

  /** The person wrote a message: show the end. */
  async goToEnd() {
    this.news.forget();
    if (this.#timeline.isDetached) await this.#pages.loadNewest();
    if (this.#target) this.#setTarget(null);
    this.#scroller.toEnd();
    this.show();
  }

  /** Show a message with the messages around it, mark it and give it the focus; returns whether it was found. */
  async goTo(sequence) {
    if (!this.#timeline.find(sequence) && !(await this.#pages.loadAround(sequence))) return false;
    this.#scroller.isAtEnd = false;
    this.#showQuietly();
    const element = this.#view.elementOf(sequence);
    if (!element) return false;
    this.#setTarget(sequence);
    this.#scroller.toMiddle(element);
    element.tabIndex = -1;
    element.focus({ preventScroll: true });
    return true;
  }

  #setTarget(sequence) {
    this.#target = sequence;
    this.#view.target(sequence);
    history.replaceState(null, "", sequence ? this.#messageView.linkTo({ sequence }) : this.#data.roomUrl);
  }

  #showLoading(end, state) {
    this.#ends.say(end, state);
    if (state === "loading") return;
    if (state === "loaded") {
      this.news.findMark();
      this.#ends.watchAgain();
    }
    this.#showQuietly();
  }

  /** Show messages without announcing them: a screen reader must not read fifty old messages aloud. */
  #showQuietly() {
    this.#log.setAttribute("aria-live", "off");
    this.show();
    setTimeout(() => this.#log.setAttribute("aria-live", "polite"), QUIET_MS);
  }

  /** The pill goes to the first new message, or to the end. */
  async #follow() {
    if (this.#timeline.isDetached) {
      await this.goToEnd();
      return;
    }
    const mark = this.news.unseen && !this.#isBehind ? this.#view.mark : null;
    if (mark) this.#scroller.toElement(mark);
    else this.#scroller.toEnd();
    this.news.unseen = 0;
    this.#update();
  }

  #moved() {
    if (this.#scroller.isAtEnd && !this.#timeline.isDetached) {
      this.news.unseen = 0;
      this.#isBehind = false;
    }
    this.#update();
  }

  /** Report the read position, and show the pill if it has a destination. */
  #update() {
    if (this.#attention.isHere) this.#following.see(findRead(this.#timeline, this.#view, this.#scroller, Math.max(this.#following.readTo, this.#clicked)));
    const { isDetached } = this.#timeline;
    const { unseen } = this.news;
    const hadFocus = document.activeElement === this.#pill;
    this.#pill.hidden = !unseen && !isDetached && !this.#scroller.isFarFromEnd && !this.#isBehind;
    if (hadFocus && this.#pill.hidden) this.#log.focus({ preventScroll: true });
    const text = unseen ? `${unseen} new` : "Go to the newest";
    // This runs with every frame of scrolling: setting the same text again would cause a layout.
    if (this.#pill.textContent !== text) this.#pill.textContent = text;
  }
}

/** The newest message that has been in view to its end. Messages after a part that the person has jumped over do not count. */
function findRead({ messages, isDetached, hasOlder, newestSequence, cursor }, view, scroller, readTo) {
  if (scroller.isAtEnd && !isDetached) return Math.max(newestSequence, cursor); // later edits were seen too
  if (readTo >= newestSequence) return readTo;
  const [first, below] = scroller.findView(messages.length, (place) => view.elementOf(messages[place].sequence));
  const isReached = first > 0 ? messages[first - 1].sequence <= readTo : !hasOlder;
  return isReached && below > 0 ? messages[below - 1].sequence : readTo;
}

/** The links to older and newer messages, which load them before they scroll into view. */
class Ends {
  #places;
  #links;
  #observer;

  constructor({ find, log, load }) {
    this.#places = { older: find("older"), newer: find("newer") };
    this.#links = { older: find("older-link"), newer: find("newer-link") };
    for (const [end, link] of Object.entries(this.#links)) {
      link.href = "#";
      this.say(end, "loaded");
      link.addEventListener("click", (event) => {
        event.preventDefault();
        load[end]();
      });
    }
    const reach = ({ isIntersecting, target }) => isIntersecting && load[target === this.#places.older ? "older" : "newer"]();
    this.#observer = new IntersectionObserver((entries) => entries.forEach(reach), { root: log, rootMargin: "600px 0px" });
    this.watchAgain();
  }

  show(isThere) {
    for (const [end, place] of Object.entries(this.#places)) place.hidden = !isThere[end];
  }

  say(end, state) {
    this.#links[end].textContent = {
      loading: `Loading ${end} messages…`,
      loaded: `${end === "older" ? "Older" : "Newer"} messages`,
      failed: `${end === "older" ? "Older" : "Newer"} messages could not be loaded. Try again`,
    }[state];
  }

  /** An observer reports only changes: if a page does not fill the screen, the next page must be loaded,
      and the other end may have come into view while this one was loaded. */
  watchAgain() {
    for (const place of Object.values(this.#places)) {
      this.#observer.unobserve(place);
      this.#observer.observe(place);
    }
  }
}

function makePill(place, onClick) {
  const pill = document.createElement("button");
  pill.type = "button";
  pill.className = "new-pill";
  pill.hidden = true;
  pill.addEventListener("click", onClick);
  place.prepend(pill);
  return pill;
}

/** Whether a notification was clicked. The mark of a click does not stay in the address, which people copy. */
function takeClick() {
  if (location.hash !== "#notified") return false;
  history.replaceState(null, "", location.pathname);
  return true;
}

/** Follow links to messages of this room without loading the page again. */
function followLinks(list, onGo) {
  list.addEventListener("click", (event) => {
    const link = event.target.closest("[data-permalink], [data-quote]");
    if (!link?.href || isModified(event)) return;
    event.preventDefault();
    onGo(Number(link.pathname.split("/").at(-1)));
  });
}
