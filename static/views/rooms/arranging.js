/* The menu of a room in the list: Star, Mute, Hide. */

import { MenuView } from "../kit/menu.js";

export class Arranging {
  #menu;
  #arrange;

  /** `arrange(slug, change)` changes how the person lists a room. */
  constructor({ icons, arrange }) {
    this.#menu = new MenuView({ icons });
    this.#arrange = arrange;
  }

  open(room, anchor) {
    const items = choicesFor(room).map(({ change, ...item }) => ({ ...item, run: () => this.#arrange(room.slug, change) }));
    this.#menu.open({ label: room.title, items, anchor });
  }
}

/** The same choices as in templates/rooms/arrange.html. */
function choicesFor({ kind, notify, unmuted, isStarred, isHidden }) {
  return [
    { label: isStarred ? "Remove the star" : "Star", icon: "star", change: { is_starred: !isStarred } },
    notify === "none"
      ? { label: "Unmute", icon: "bell", change: { notify: unmuted } }
      : { label: "Mute", icon: "bell-off", change: { notify: "none" } },
    isHidden
      ? { label: "Keep in the list", icon: "hide", change: { is_hidden: false } }
      : { label: kind === "direct" ? "Close" : "Hide", icon: "hide", change: { is_hidden: true } },
  ];
}
