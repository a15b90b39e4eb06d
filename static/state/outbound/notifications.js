/* Notifies the reader of relevant messages while they do not look at the page: once, even with many open tabs. No DOM.

   A message has the same tag here and in the service worker, so that one notification replaces the other. A notification
   closes when its message is read on any device, or deleted. */

import { excerptOf } from "../messages/quotes.js";
import { isAmong } from "../rooms/rooms.js";
import { shownName } from "../kit/text.js";

const SOUND_KEY = "chatroom:sound";
/** Rooms that are followed in brief have no texts. */
const NO_TEXT = "New message";
const HELD_MS = 3000;
/** After an absence, only the newest messages cause notifications. */
const MOST_AT_ONCE = 3;

export class Notifications {
  #user;
  #browser;
  #storage;
  #isQuiet;
  #onConcern;

  /**
   * `browser` knows `isLooking`, `mayNotify`, `show`, `close`, `once` and `beep`; `isQuiet()`: the reader does not want to be
   * disturbed now; `onConcern()`: a message arrived of which the reader wants to be notified.
   */
  constructor({ user, browser, storage, isQuiet = () => false, onConcern = () => {} }) {
    this.#isQuiet = isQuiet;
    this.#user = user;
    this.#browser = browser;
    this.#storage = storage;
    this.#onConcern = onConcern;
  }

  get hasSound() {
    return this.#storage?.getItem(SOUND_KEY) === "on";
  }

  set hasSound(isOn) {
    if (isOn) this.#storage?.setItem(SOUND_KEY, "on");
    else this.#storage?.removeItem(SOUND_KEY);
  }

  /** New messages arrived in a room (with `slug`, `title`, `kind` and `notify`). */
  take(room, messages) {
    const shown = messages.filter((message) => this.concerns(room, message)).slice(-MOST_AT_ONCE);
    if (shown.length) this.#onConcern();
    if (this.#browser.isLooking() || this.#isQuiet()) return;
    for (const message of shown) this.#notify(room, message);
  }

  /** Handle any frame: messages may have been read on another device or deleted, or a room was left. */
  receive({ type, room, sequence, messages }) {
    if (type === "read") this.#close((of) => of.slug === room && of.revision <= sequence);
    else if (type === "closed") this.#close((of) => of.slug === room);
    else if (type === "changes") {
      const deleted = new Set(messages.filter((message) => message.deleted_at).map((message) => tagOf(room, message)));
      if (deleted.size) this.#close((of) => deleted.has(of.tag));
    }
  }

  /** The list of rooms was read: messages may have been read while this page was away. */
  tidy(rooms) {
    this.#close(({ slug, revision }) => !(revision > rooms.get(slug)?.readTo));
  }

  /** Whether the reader wants to be notified of a message. */
  concerns({ notify, kind: roomKind }, { author, kind, deleted_at, mentions = [], new_mentions }) {
    if (author.id === this.#user.id || kind === "event" || deleted_at || notify === "none") return false;
    const isForAll = notify === "all" || roomKind === "direct";
    if (new_mentions) return !isForAll && isAmong(this.#user, new_mentions); // the post has notified those who want all
    return isForAll || isAmong(this.#user, mentions);
  }

  #notify({ slug, title, kind }, message) {
    const tag = tagOf(slug, message);
    if (this.hasSound) this.#browser.once(tag, HELD_MS, () => this.#browser.beep());
    if (!this.#browser.mayNotify()) return;
    const name = shownName(message.author);
    this.#browser.show(kind === "direct" ? name : `${name} in ${title}`, {
      body: excerptOf(message) || NO_TEXT,
      tag,
      url: `/chatroom/${slug}/${message.sequence}`,
      revision: message.revision,
    });
  }

  #close(isOver) {
    this.#browser.close(({ tag, data }) => isOver({ tag, slug: tag.slice(0, tag.lastIndexOf("-")), revision: data?.revision ?? 0 }));
  }
}

function tagOf(slug, { sequence }) {
  return `${slug}-${sequence}`;
}
