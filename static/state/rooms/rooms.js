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

  #newest = 0; // the newest message that arrived here
  #hiddenAt = null; // the revision at which the person had hidden the room

  cursor = 0;
  readTo = 0;
  /** How often the person has marked a message as unread, and whether the last mark holds. */
  marks = 0;
  isMarked = false;
  /** Whether the counts must be read again: a part of the server's count was read elsewhere. */
  isInDoubt = false;

  constructor(user, slug) {
    this.#user = user;
    this.slug = slug;
  }

  set({ title, kind, notify, chosen, paused_until, people = [], is_starred = false, is_hidden = false, archived = false, unread, mentions, revision, read_sequence, unread_from = 0, unread_marks = 0 }) {
    Object.assign(this, { title, kind, notify, chosen, paused_until, people, isStarred: is_starred, isArchived: archived });
    this.#hiddenAt = is_hidden ? revision : null;
    this.cursor = Math.max(this.cursor, revision);
    if (unread_marks < this.marks) return; // the list was read before the mark
    this.readTo = unread_marks > this.marks ? read_sequence : Math.max(this.readTo, read_sequence);
    this.marks = unread_marks;
    this.isMarked = this.readTo < unread_from;
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
    for (const { sequence } of fresh) this.#newest = Math.max(this.#newest, sequence);
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

  /** The server has stored this read position after so many marks as unread; returns whether it is a new mark. */
  read(sequence, marks) {
    if (marks > this.marks) {
      this.marks = marks;
      this.readTo = sequence;
      this.#storedTo = sequence;
      return true;
    }
    if (marks === this.marks) this.#store(sequence);
    return false;
  }

  #store(sequence) {
    this.see(sequence);
    if (sequence <= this.#storedTo) return;
    this.#storedTo = sequence;
    this.isInDoubt ||= this.#counted.unread > 0;
  }

  /** The person starred, muted or hid the room, or undid this. */
  arrange({ is_starred, is_hidden, notify }) {
    if (notify) Object.assign(this, { notify, chosen: notify, paused_until: null });
    this.isStarred = is_starred ?? this.isStarred;
    if (is_hidden) this.#hiddenAt = this.cursor;
    else if (is_hidden === false || is_starred) this.#hiddenAt = null;
  }

  /** What notifies the person after "Unmute": after a pause, what was chosen before it. Must match `after_mute` in chatroom/web/rooms/notifying.py. */
  get unmuted() {
    return this.paused_until && this.chosen !== "none" ? this.chosen : "mentions";
  }

  /** Whether a direct conversation has a message. Must match `RoomEntry.is_begun`. */
  get isBegun() {
    return this.kind !== "direct" || this.cursor > 0;
  }

  /** Whether the person hid the room. A new message ends this, unless the room is muted. Must match `RoomEntry.is_hidden`. */
  get isHidden() {
    return this.#hiddenAt !== null && (this.notify === "none" || this.#newest <= this.#hiddenAt);
  }

  /** Whether the list shows the room, also when it is not open. Must match `RoomEntry.is_listed`. */
  get isListed() {
    return this.isBegun && !this.isHidden;
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
    if (author.id === this.#user.id || (kind === "event" && !isAmong(this.#user, mentions))) return;
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
  #places = new Map(); // the places of direct conversations: slug -> number, the smallest first
  #top = 0; // the smallest place

  /** `open` is the slug of the open room. */
  constructor({ user, open }) {
    this.#user = user;
    this.#open = open;
  }

  /** Take the server's list of rooms; rooms that are not in it are removed. */
  reset(list) {
    const slugs = new Set(list.map(({ slug }) => slug));
    for (const slug of this.#rooms.keys()) if (!slugs.has(slug)) this.#rooms.delete(slug);
    const isFirst = this.#places.size === 0;
    for (const listed of list) {
      const { slug } = listed;
      if (!this.#rooms.has(slug)) this.#rooms.set(slug, new Room(this.#user, slug));
      if (isFirst) this.#places.set(slug, this.#places.size);
      this.#change(slug, (room) => room.set(listed));
    }
  }

  get(slug) {
    return this.#rooms.get(slug);
  }

  /** Handle a `changes` frame of any room; returns the posts that were not known. */
  take(frame) {
    return this.#change(frame.room, (room) => room.take(frame)) ?? [];
  }

  /** The person starred, muted or hid a room here, or undid this. */
  arrange(slug, wanted) {
    this.#change(slug, (room) => room.arrange(wanted));
  }

  /** The person has read a part of a room on this page. */
  see({ room, sequence }) {
    this.get(room)?.see(sequence);
  }

  /** Handle a `read` frame, from this or another device; returns whether it marks messages as unread. */
  read({ room, sequence, unread_marks = 0 }) {
    return this.get(room)?.read(sequence, unread_marks) ?? false;
  }

  /** The sections of the list, each in an order that does not depend on what is unread: by name, archived rooms last; conversations
      by their newest message when the page was made, and above them those that have appeared since. The open room is always listed. */
  get sections() {
    const listed = [...this.#rooms.values()].filter(({ slug, isListed }) => isListed || slug === this.#open);
    const others = listed.filter(({ isStarred }) => !isStarred);
    return {
      starred: listed.filter(({ isStarred }) => isStarred).sort(byTitle),
      rooms: others.filter(({ kind }) => kind !== "direct").sort(byTitle),
      direct: others.filter(({ kind }) => kind === "direct").sort((a, b) => this.#places.get(a.slug) - this.#places.get(b.slug)),
    };
  }

  /** The rooms or conversations that one can jump to, also hidden ones: urgent ones first, then unread ones, then by name. */
  list(isDirect) {
    return this.#sorted(isDirect).filter(({ slug, isBegun }) => isBegun || slug === this.#open);
  }

  /** All rooms except the open one, unread ones first; also conversations without a message, to receive the first one. */
  get others() {
    return [...this.#sorted(true), ...this.#sorted(false)].filter(({ slug }) => slug !== this.#open).sort((a, b) => rank(a) - rank(b));
  }

  get urgent() {
    return this.#sum(({ isHidden, urgent }) => (isHidden ? 0 : urgent));
  }

  /** The number of unread messages in rooms that are not muted or hidden. */
  get unread() {
    return this.#sum(({ isHidden, notify, unread }) => (isHidden || notify === "none" ? 0 : unread));
  }

  get isInDoubt() {
    return [...this.#rooms.values()].some(({ isInDoubt }) => isInDoubt);
  }

  /** Change a room. If this makes it appear in the list, its place is above the conversations that one has seen there. */
  #change(slug, change) {
    const room = this.get(slug);
    if (!room) return undefined;
    const wasListed = room.isListed ?? false;
    const outcome = change(room);
    if (!this.#places.has(slug) || (room.isListed && !wasListed)) {
      this.#top -= 1;
      this.#places.set(slug, this.#top);
    }
    return outcome;
  }

  #sorted(isDirect) {
    const rooms = [...this.#rooms.values()].filter(({ kind }) => (kind === "direct") === isDirect);
    return rooms.sort((a, b) => rank(a) - rank(b) || compareTitles(a, b));
  }

  #sum(number) {
    let sum = 0;
    for (const room of this.#rooms.values()) sum += number(room);
    return sum;
  }
}

function byTitle(a, b) {
  return a.isArchived - b.isArchived || compareTitles(a, b);
}

function compareTitles(a, b) {
  return a.title.localeCompare(b.title, undefined, { sensitivity: "base" });
}

function rank({ urgent, unread, notify }) {
  if (urgent) return 0;
  return unread && notify !== "none" ? 1 : 2;
}

/** Whether ids of mentions include a person; "room" is everybody. */
export function isAmong(user, mentions) {
  return mentions.includes(user.id) || mentions.includes("room");
}

/** Whether a mention of `user` (an id, `room` or `here`) in the text of a message names this person.

    A message that the server rendered comes without its `mentions`, but says whether it names the person (`wasNamed`). */
export function isNaming(user, { userId, mentions, wasNamed }) {
  if (user === "here") return mentions ? mentions.includes(userId) : wasNamed;
  return user === userId || user === "room";
}

/** The text of a count in a badge. Must match `badge` in chatroom/web/rooms/rooms.py. */
export function shorten(count) {
  return count >= MOST_UNREAD ? `${MOST_UNREAD - 1}+` : String(count);
}
