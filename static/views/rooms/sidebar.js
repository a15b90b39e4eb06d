/* The person's rooms: the list next to the messages, the switcher, the number in the page's title, and who is typing. */

import { Following } from "../../state/rooms/following.js";
import { announceKeys, nameKeys } from "../kit/keys.js";
import { clock } from "../kit/page.js";
import { Badge } from "./badge.js";
import { RoomsView } from "./rooms.js";
import { Switcher, SWITCHER_KEY } from "./switcher.js";

export class Sidebar {
  #view;
  #badge = new Badge();
  #isShowing = false;

  /** The state of the rooms. */
  following;

  /** `onPosts(room, messages)`: messages were posted in another room than the open one; `onList(rooms)`: the list was read. */
  constructor({ page, api, connection, onPosts, onList }) {
    const { data, find, user } = page;
    this.#view = new RoomsView({ root: find("rooms"), total: find("rooms-total") });
    const line = find("typing");
    this.following = new Following({
      user,
      room: data.room,
      readTo: Number(data.read),
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
    this.#showSoon();
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
      this.#view.show(this.following.rooms);
      this.#badge.show(this.following.rooms);
    });
  }
}
