/* Follows the person's rooms on one connection: read position and typing in the open room, unread counts of the others. No DOM. */

import { ApiError, findProblemOf } from "../live/api.js";
import { Timers } from "../kit/timers.js";
import { ReadPosition } from "./read_position.js";
import { Rooms } from "./rooms.js";
import { Typing, TypingNotifier } from "./typing.js";

/** The shortest time between two reads of the list, and the interval without a live connection. */
const REFRESH_MS = 2000;
const POLL_MS = 15_000;

export class Following {
  #user;
  #room;
  #most;
  #api;
  #connection;
  #clock;
  #timers;
  #position;
  #typing;
  #notifier;
  #followed = new Set();
  #onChange;
  #onPosts;
  #onList;
  #wasLive = false;

  /**
   * `room` is the open one's slug, `readTo` how far it was read, `marks` how often a message was marked as unread, `most` how many rooms a connection may follow (0: all).
   * `onChange()`: the rooms changed; `onTyping(text)`: who is typing; `onPosts(room, messages)`: posts in the other rooms;
   * `onList(rooms)`: the list was read from the server.
   */
  constructor({ user, room, readTo, marks, most, api, connection, clock, onChange, onTyping, onPosts, onList }) {
    this.#user = user;
    this.#room = room;
    this.#most = most;
    this.#api = api;
    this.#connection = connection;
    this.#onChange = onChange;
    this.#onPosts = onPosts;
    this.#onList = onList;
    this.#clock = clock;
    const timers = new Timers(clock);
    this.#timers = timers;
    this.rooms = new Rooms({ user, open: room });
    this.#position = new ReadPosition({ timers, position: readTo, marks, send: (...read) => this.#sendRead(...read) });
    this.#typing = new Typing({ user, timers, onChange: onTyping });
    this.#notifier = new TypingNotifier({ clock, send: (on) => connection.send({ type: "typing", room, on }) });
  }

  /** Handle any frame; frames about rooms that are not in the list change nothing. */
  receive(frame) {
    if (frame.type === "changes") this.#takeChanges(frame);
    else if (frame.type === "read") {
      if (this.rooms.read(frame)) this.#read(); // the server counts what is unread again
      if (frame.room === this.#room) this.#position.apply(frame.sequence, frame.unread_marks);
    } else if (frame.type === "typing") this.#typing.apply(frame);
    else if (["rooms", "room", "closed"].includes(frame.type) || (isRefusal(frame) && this.#followed.has(frame.room))) {
      if (frame.type === "closed") this.#followed.delete(frame.room);
      this.#refresh();
    } else return;
    if (this.rooms.isInDoubt) this.#refresh();
    this.#onChange();
  }

  /** The connection has this state now. A new one follows the rooms again, each from its cursor. */
  connected(name) {
    awaitEndOfPause(this.rooms, { clock: this.#clock, timers: this.#timers, renew: () => this.#refresh() });
    if (name !== "live") this.#followed.clear();
    if (name !== "live" && name !== "catching_up") this.#typing.stop();
    if (name === "live") {
      this.#follow();
      if (this.#wasLive) this.#refresh(); // rooms may have been read on another device in the meantime
      this.#wasLive = true;
    }
    if (name === "polling") this.#poll();
    if (this.#connection.canSend) this.#position.report();
  }

  /** The person has read the open room up to this sequence. */
  see(sequence) {
    if (!this.#position.see(sequence)) return;
    this.rooms.see({ room: this.#room, sequence });
    this.#onChange();
  }

  /** Mark a message of the open room and all later ones as unread; returns the reason of a failure, or "". */
  async markUnread(sequence) {
    this.#position.hold();
    const problem = await findProblemOf(async () => {
      const answer = await this.#api.mark("unread", { sequence });
      this.receive({ type: "read", ...answer, room: this.#room });
    });
    if (problem) this.#position.release();
    return problem;
  }

  /** How far the open room was read. */
  get readTo() {
    return this.#position.position;
  }

  /** The composer of the open room has this text now; "" when it was sent. */
  type(text) {
    this.#notifier.type(text);
  }

  /** Star, mute or hide a room, or undo this: shown at once, stored for all devices; returns the reason of a failure, or "". */
  async arrange(slug, change) {
    this.rooms.arrange(slug, change);
    this.#onChange();
    const problem = await findProblemOf(() => this.#api.arrange(slug, change));
    if (problem) this.#refresh();
    return problem;
  }

  /** The page is closed, or is no longer visible. */
  leave() {
    this.#position.report();
  }

  /** People without a direct conversation with this person; the others are in the list of rooms. */
  async findPeople(text) {
    try {
      const { members, others = [] } = await this.#api.findMembers(text);
      const known = new Set(this.rooms.list(true).flatMap(({ people }) => (people.length === 1 ? [people[0].id] : [])));
      return [...members, ...others].filter(({ id }) => id !== this.#user.id && !known.has(id));
    } catch (error) {
      ignoreRefusal(error);
      return [];
    }
  }

  #takeChanges(frame) {
    const posts = this.rooms.take(frame);
    if (frame.room === this.#room) this.#typing.stop(frame.messages.map(({ author }) => author.id));
    else if (posts.length) this.#onPosts(this.rooms.get(frame.room), posts);
  }

  #follow() {
    for (const { slug, cursor } of this.rooms.others) {
      if (this.#followed.has(slug)) continue;
      if (this.#most && this.#followed.size + 1 >= this.#most) return;
      this.#connection.send({ type: "follow", room: slug, after: cursor, format: "brief" });
      this.#followed.add(slug);
    }
  }

  #sendRead(sequence, marks) {
    if (this.#connection.send({ type: "read", room: this.#room, sequence, unread_marks: marks })) return true;
    if (!this.#connection.canSend) return false;
    this.#api.mark("read", { sequence, unread_marks: marks }).catch(ignoreRefusal);
    return true;
  }

  #refresh() {
    if (!this.#timers.isSet("refresh")) this.#timers.set("refresh", REFRESH_MS, () => this.#read());
  }

  async #read() {
    try {
      const { rooms } = await this.#api.readRooms();
      for (const slug of this.#followed) if (!rooms.some((room) => room.slug === slug)) this.#followed.delete(slug);
      this.rooms.reset(rooms);
      awaitEndOfPause(this.rooms, { clock: this.#clock, timers: this.#timers, renew: () => this.#refresh() });
      const { readTo = 0, marks, isMarked } = this.rooms.get(this.#room) ?? {};
      this.#position.apply(readTo, marks, isMarked);
      this.#onList(this.rooms);
      if (this.#connection.state.name === "live") this.#follow();
      this.#onChange();
    } catch (error) {
      ignoreRefusal(error);
    }
  }

  #poll() {
    this.#timers.set("poll", POLL_MS, () => {
      if (this.#connection.state.name !== "polling") return;
      this.#refresh();
      this.#poll();
    });
  }
}

/** Whether the server refuses something else than a post. */
function isRefusal({ type, client_id }) {
  return type === "refused" && !client_id;
}

/** Call `renew` when the first pause of notifications ends. */
function awaitEndOfPause(rooms, { clock, timers, renew }) {
  const paused = [...rooms.list(true), ...rooms.list(false)].filter(({ paused_until }) => paused_until);
  const end = Math.min(...paused.map(({ paused_until }) => new Date(paused_until).getTime()));
  if (paused.length) timers.set("pause", Math.max(0, end - clock.now()), renew);
  else timers.stop("pause");
}

/** A failed request is repeated at the next occasion. */
function ignoreRefusal(error) {
  if (!(error instanceof ApiError)) throw error;
}
