/* The person's rooms with their unread counts. No DOM.

   The server counts up to a revision. Later messages are counted here, each once, even if they arrive again. */

/** The highest count of the server. */
export const MOST_UNREAD = 100;

class Room {
  #user;
  #newer = new Map(); // messages after the server's count: sequence -> whether the message is addressed to the person
  #counted = { unread: 0, mentions: 0 };
  #countedTo = 0;
  #named = new Map(); // read messages in which an edit mentions the person: sequence -> revision of the edit
  #storedTo = 0; // the read position of the server's count

  cursor = 0;
  readTo = 0;
  /** Whether the counts must be read again: a part of the server's count was read elsewhere. */
  isInDoubt = false;

  constructor(user, slug) {
    this.#user = user;
    this.slug = slug;
  }

  set({ title, kind, notify, people = [], unread, mentions, revision, read_sequence }) {
    Object.assign(this, { title, kind, notify, people });
    this.cursor = Math.max(this.cursor, revision);
    this.readTo = Math.max(this.readTo, read_sequence);
    this.isInDoubt = false;
    this.#countedTo = revision;
    this.#storedTo = read_sequence;
    this.#counted = { unread, mentions };
    if (this.readTo >= revision) this.#counted = { unread: 0, mentions: 0 };
    this.#forget(Math.max(revision, this.readTo));
  }

  /** Returns the posts that were not known, and the messages in which an edit mentions the person. */
  take({ messages, revision }) {
    const fresh = messages.filter((message) => message.revision > this.cursor);
    for (const message of fresh) this.#take(message);
    this.cursor = Math.max(this.cursor, revision);
    return fresh.filter((message) => (message.revision === message.sequence ? message.sequence > this.readTo : this.#isNamedIn(message)));
  }

  /** The person has read up to this sequence on this page; the server does not know it yet. */
  see(sequence) {
    if (sequence <= this.readTo) return;
    this.readTo = sequence;
    if (sequence >= this.#countedTo) this.#counted = { unread: 0, mentions: 0 };
    this.#forget(sequence);
  }

  /** The server has stored that the person has read up to this sequence. */
  read(sequence) {
    this.see(sequence);
    if (sequence <= this.#storedTo) return;
    this.#storedTo = sequence;
    this.isInDoubt ||= this.#counted.unread > 0;
  }

  /** Whether the list shows the room. Must match `RoomEntry.is_begun`. */
  get isBegun() {
    return this.kind !== "direct" || this.cursor > 0;
  }

  get unread() {
    return Math.min(this.#counted.unread + this.#newer.size, MOST_UNREAD);
  }

  /** The number of unread messages addressed to the person: mentions, and all messages in direct conversations. */
  get urgent() {
    if (this.notify === "none") return 0;
    if (this.kind === "direct") return this.unread;
    let count = this.#counted.mentions + this.#named.size;
    for (const isForMe of this.#newer.values()) count += isForMe;
    return count;
  }

  #take(message) {
    const { sequence, revision, author, kind = "message", deleted_at, mentions = [] } = message;
    if (author.id === this.#user.id || kind === "event") return;
    if (sequence <= this.readTo) {
      if (deleted_at) this.#named.delete(sequence);
      else if (this.#isNamedIn(message) && revision > this.readTo) this.#named.set(sequence, revision);
      return;
    }
    const isForMe = isAmong(this.#user, mentions);
    if (sequence > this.#countedTo) {
      if (deleted_at) this.#newer.delete(sequence);
      else this.#newer.set(sequence, isForMe);
    } else if (deleted_at || isForMe) {
      this.isInDoubt = true;
    }
  }

  #isNamedIn({ author, new_mentions = [] }) {
    return author.id !== this.#user.id && isAmong(this.#user, new_mentions);
  }

  /** Up to this revision, the messages and mentions were read, or are in the server's count. */
  #forget(revision) {
    for (const sequence of this.#newer.keys()) if (sequence <= revision) this.#newer.delete(sequence);
    for (const [sequence, edit] of this.#named) if (edit <= revision) this.#named.delete(sequence);
  }
}

export class Rooms {
  #user;
  #open;
  #rooms = new Map();

  /** `open` is the slug of the open room. */
  constructor({ user, open }) {
    this.#user = user;
    this.#open = open;
  }

  /** Take the server's list of rooms; rooms that are not in it are removed. */
  reset(list) {
    const slugs = new Set(list.map(({ slug }) => slug));
    for (const slug of this.#rooms.keys()) if (!slugs.has(slug)) this.#rooms.delete(slug);
    for (const listed of list) {
      if (!this.#rooms.has(listed.slug)) this.#rooms.set(listed.slug, new Room(this.#user, listed.slug));
      this.#rooms.get(listed.slug).set(listed);
    }
  }

  get(slug) {
    return this.#rooms.get(slug);
  }

  /** Handle a `changes` frame of any room; returns the posts that were not known. */
  take(frame) {
    return this.get(frame.room)?.take(frame) ?? [];
  }

  /** The person has read a part of a room on this page. */
  see({ room, sequence }) {
    this.get(room)?.see(sequence);
  }

  /** Handle a `read` frame, from this or another device. */
  read({ room, sequence }) {
    this.get(room)?.read(sequence);
  }

  /** The rooms in the order of the list: urgent ones first, then unread ones, then by name. A conversation without a message is not listed unless it is open. */
  list(isDirect) {
    return this.#sorted(isDirect).filter(({ slug, isBegun }) => isBegun || slug === this.#open);
  }

  /** All rooms except the open one, unread ones first; also conversations without a message, to receive the first one. */
  get others() {
    return [...this.#sorted(true), ...this.#sorted(false)].filter(({ slug }) => slug !== this.#open).sort((a, b) => rank(a) - rank(b));
  }

  get urgent() {
    return this.#sum(({ urgent }) => urgent);
  }

  /** The number of unread messages in rooms that are not muted. */
  get unread() {
    return this.#sum(({ notify, unread }) => (notify === "none" ? 0 : unread));
  }

  get isInDoubt() {
    return [...this.#rooms.values()].some(({ isInDoubt }) => isInDoubt);
  }

  #sorted(isDirect) {
    const rooms = [...this.#rooms.values()].filter(({ kind }) => (kind === "direct") === isDirect);
    return rooms.sort((a, b) => rank(a) - rank(b) || a.title.localeCompare(b.title, undefined, { sensitivity: "base" }));
  }

  #sum(number) {
    let sum = 0;
    for (const room of this.#rooms.values()) sum += number(room);
    return sum;
  }
}

function rank({ urgent, unread, notify }) {
  if (urgent) return 0;
  return unread && notify !== "none" ? 1 : 2;
}

/** Whether ids of mentions include a person; "room" is everybody. */
export function isAmong(user, mentions) {
  return mentions.includes(user.id) || mentions.includes("room");
}

/** The text of a count in a badge. Must match `badge` in chatroom/web/rooms/rooms.py. */
export function shorten(count) {
  return count >= MOST_UNREAD ? `${MOST_UNREAD - 1}+` : String(count);
}
