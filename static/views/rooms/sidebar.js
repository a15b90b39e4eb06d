/* The person's rooms: the list next to the messages, the switcher, the number in the page's title, and who is typing. */

import { DraftMarks } from "../../state/rooms/draft_marks.js";
import { Following } from "../../state/rooms/following.js";
import { announceKeys, nameKeys } from "../kit/keys.js";
import { clock, findStorage } from "../kit/page.js";
import { Arranging } from "./arranging.js";
import { Badge } from "./badge.js";
import { RoomsView } from "./rooms.js";
import { Switcher, SWITCHER_KEY } from "./switcher.js";

export class Sidebar {
  #page;
  #view;
  #marks;
  #badge = new Badge();
  #isShowing = false;
  #isHere = () => false;
  #onList;

  /** The state of the rooms. */
  following;

  /** `onPosts(room, messages)`: messages were posted in another room than the open one; `onList(rooms)`: the list was read or arranged. */
  constructor({ page, api, connection, toast, onPosts, onList }) {
    const { data, find, user } = page;
    this.#page = page;
    this.#onList = onList;
    const arranging = new Arranging({ icons: data.icons, arrange: (slug, change) => this.#arrange(slug, change, toast) });
    this.#view = new RoomsView({
      root: find("rooms"),
      total: find("rooms-total"),
      icons: data.icons,
      onMenu: (slug, anchor) => arranging.open(this.following.rooms.get(slug), anchor),
    });
    this.#marks = new DraftMarks({ storage: findStorage("localStorage"), userId: user.id, open: data.room });
    const line = find("typing");
    this.following = new Following({
      user,
      room: data.room,
      readTo: Number(data.read),
      marks: Number(data.marks),
      most: Number(data.maxRooms),
      api,
      connection,
      clock,
      onChange: () => this.#showSoon(),
      onTyping: (text) => {
        line.textContent = text;
      },
      onPosts,
      onList,
    });
    this.following.rooms.reset(this.#view.read());
    onList(this.following.rooms);
    const switcher = new Switcher({
      dialog: find("switcher"),
      rooms: this.following.rooms,
      linkTo: (slug) => this.#view.linkTo(slug),
      findPeople: (text) => this.#findPeople(text, data.personUrl),
      icons: data.icons,
    });
    const opener = find("switcher-open");
    opener.querySelector("kbd").textContent = nameKeys(SWITCHER_KEY).join(" ");
    announceKeys(opener, [SWITCHER_KEY]);
    opener.addEventListener("click", () => switcher.open());
    window.addEventListener("storage", ({ key }) => this.#marks.isConcerned(key) && this.#showSoon());
    window.addEventListener("pageshow", ({ persisted }) => persisted && this.#showSoon());
    this.#showSoon();
  }

  /** The ids of the people with whom there are conversations of two. */
  get friends() {
    return this.following.rooms.sections.direct.flatMap(({ people }) => (people.length === 1 ? [people[0].id] : []));
  }

  /** `isHere(id)`: whether somebody has the site open. */
  showHere(isHere) {
    this.#isHere = isHere;
    this.#view.showHere(this.following.rooms, isHere);
  }

  async #arrange(slug, change, toast) {
    this.#view.reopen();
    const arranged = this.following.arrange(slug, change);
    this.#onList(this.following.rooms);
    const problem = await arranged;
    if (problem) toast.say(problem);
    else if (change.is_hidden) toast.say("It comes back with the next message.");
  }

  async #findPeople(text, url) {
    const people = await this.following.findPeople(text);
    return people.map(({ id, name }) => ({ id, name, url: url.replace("~", id) }));
  }

  /** Show all changes of one moment together. */
  #showSoon() {
    if (this.#isShowing) return;
    this.#isShowing = true;
    queueMicrotask(() => {
      this.#isShowing = false;
      const { rooms } = this.following;
      this.#page.room.notify = rooms.get(this.#page.room.slug)?.notify ?? this.#page.room.notify;
      this.#view.show(rooms, this.#marks.read());
      this.#view.showHere(rooms, this.#isHere);
      this.#badge.show(this.following.rooms);
    });
  }
}
