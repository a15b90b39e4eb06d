/* What goes on in one's rooms beside the open one: followed in brief on the same connection, counted, and shown. */

import { ApiError } from "../../state/live/api.js";
import { ReadPosition } from "../../state/rooms/read_position.js";
import { Rooms } from "../../state/rooms/rooms.js";
import { Timers } from "../../state/kit/timers.js";
import { Typing, TypingTeller } from "../../state/rooms/typing.js";
import { Badge } from "./badge.js";
import { RoomsView } from "./rooms.js";
import { Switcher } from "./switcher.js";

/** The list is asked for again at most so often, and so often where nothing tells of changes. */
const REFRESH_MS = 2000;
const POLL_MS = 15_000;

export class Sidebar {
  #user;
  #room;
  #api;
  #connection;
  #timers;
  #rooms;
  #view;
  #badge = new Badge();
  #position;
  #typing;
  #teller;
  #mostFollowed;
  #followed = new Set();
  #isShowing = false;
  #onPosts;

  /** `onPosts(room, messages)` hears what was posted in the rooms beside the open one. */
  constructor({ find, data, user, api, connection, clock, onPosts }) {
    this.#onPosts = onPosts;
    this.#user = user;
    this.#room = data.room;
    this.#api = api;
    this.#connection = connection;
    this.#timers = new Timers(clock);
    this.#mostFollowed = Number(data.maxRooms);
    this.#rooms = new Rooms({ user, open: data.room });
    this.#view = new RoomsView({ root: find("rooms"), total: find("rooms-total") });
    this.#rooms.reset(this.#view.read());
    this.#position = new ReadPosition({ timers: this.#timers, position: Number(data.read), send: (sequence) => this.#tellRead(sequence) });
    const line = find("typing");
    this.#typing = new Typing({
      user,
      timers: this.#timers,
      onChange: (text) => {
        line.textContent = text;
      },
    });
    this.#teller = new TypingTeller({ clock, send: () => connection.send({ type: "typing", room: data.room }) });
    const switcher = new Switcher({
      dialog: find("switcher"),
      rooms: this.#rooms,
      linkTo: (slug) => this.#view.linkTo(slug),
      findPeople: (text) => this.#findPeople(text, data.personUrl),
      icons: data.icons,
    });
    find("switcher-open").addEventListener("click", () => switcher.open());
    this.#show();
  }

  /** Take any frame; those that are about no room of the list are nobody's. */
  receive(frame) {
    if (frame.type === "changes") {
      const posts = this.#rooms.take(frame);
      if (frame.room !== this.#room && posts.length) this.#onPosts(this.#rooms.get(frame.room), posts);
      if (frame.room === this.#room) this.#typing.stop(frame.messages.map(({ author }) => author.id));
    } else if (frame.type === "read") {
      this.#rooms.read(frame);
      if (frame.room === this.#room) this.#position.hear(frame.sequence);
    } else if (frame.type === "typing") {
      this.#typing.apply(frame);
    } else if (["rooms", "room", "closed"].includes(frame.type) || this.#isRefused(frame)) {
      if (frame.type === "closed") this.#followed.delete(frame.room);
      this.#refresh();
    } else return;
    if (this.#rooms.isInDoubt) this.#refresh();
    this.#show();
  }

  /** The connection is so now: what was followed on the last one is followed again, each room from where it was. */
  connected(name) {
    if (name !== "live") this.#followed.clear();
    if (name !== "live" && name !== "catching_up") this.#typing.stop();
    if (name === "live") this.#follow();
    if (name === "polling") this.#poll();
    if (this.#connection.canSend) this.#position.tell();
  }

  /** The open room was read as far as this. */
  see(sequence) {
    if (!this.#position.see(sequence)) return;
    this.#rooms.read({ room: this.#room, sequence });
    this.#show();
  }

  type(text) {
    if (text) this.#teller.type(text);
    else this.#teller.finish();
  }

  /** The page is left, or looked at no longer. */
  leave() {
    this.#position.tell();
  }

  #follow() {
    for (const { slug, cursor } of this.#rooms.others) {
      if (this.#followed.has(slug)) continue;
      if (this.#mostFollowed && this.#followed.size + 1 >= this.#mostFollowed) return;
      this.#connection.send({ type: "follow", room: slug, after: cursor, format: "brief" });
      this.#followed.add(slug);
    }
  }

  #isRefused({ type, room, client_id }) {
    return type === "refused" && !client_id && this.#followed.has(room);
  }

  #tellRead(sequence) {
    if (this.#connection.send({ type: "read", room: this.#room, sequence })) return true;
    if (!this.#connection.canSend) return false;
    this.#api.markRead(sequence).catch(ignoreRefusal);
    return true;
  }

  #refresh() {
    if (this.#timers.isSet("refresh")) return;
    this.#timers.set("refresh", REFRESH_MS, async () => {
      try {
        const { rooms } = await this.#api.readRooms();
        for (const slug of this.#followed) if (!rooms.some((room) => room.slug === slug)) this.#followed.delete(slug);
        this.#rooms.reset(rooms);
        if (this.#connection.state.name === "live") this.#follow();
        this.#show();
      } catch (error) {
        ignoreRefusal(error);
      }
    });
  }

  #poll() {
    this.#timers.set("poll", POLL_MS, () => {
      if (this.#connection.state.name !== "polling") return;
      this.#refresh();
      this.#poll();
    });
  }

  /** The people whom there is no direct room with: those are among the rooms. */
  async #findPeople(text, url) {
    try {
      const { members } = await this.#api.findMembers(text);
      const known = new Set(this.#rooms.list(true).flatMap(({ people }) => (people.length === 1 ? [people[0].id] : [])));
      return members.filter(({ id }) => id !== this.#user.id && !known.has(id)).map(({ id, name }) => ({ id, name, url: url.replace("~", id) }));
    } catch (error) {
      ignoreRefusal(error);
      return [];
    }
  }

  /** Once for all that happens at the same moment. */
  #show() {
    if (this.#isShowing) return;
    this.#isShowing = true;
    queueMicrotask(() => {
      this.#isShowing = false;
      this.#view.show(this.#rooms);
      this.#badge.show(this.#rooms);
    });
  }
}

/** What could not be asked is asked again at the next occasion. */
function ignoreRefusal(error) {
  if (!(error instanceof ApiError)) throw error;
}
