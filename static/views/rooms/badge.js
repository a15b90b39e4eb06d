/* The badge in the page's title and icon: a number for messages addressed to the person, a dot for other new messages. */

import { shorten } from "../../state/rooms/rooms.js";

const BADGE = { number: ["#c62f1d", 11], dot: ["#1f6b5a", 7] };

export class Badge {
  #link = document.querySelector("link[rel=icon]");
  #plain = this.#link.href;
  #picture = null;
  #shown = "";

  async show({ urgent, unread }) {
    const mark = urgent ? `(${shorten(urgent)}) ` : unread ? "• " : "";
    if (mark === this.#shown) return;
    document.title = mark + document.title.slice(this.#shown.length);
    this.#shown = mark;
    const icon = mark ? await this.#draw(urgent ? shorten(urgent) : "") : this.#plain;
    if (mark === this.#shown) this.#link.href = icon;
  }

  /** The icon with a badge; the plain icon if it cannot be fetched. */
  async #draw(text) {
    try {
      this.#picture ??= await (await fetch(this.#plain)).text();
    } catch {
      return this.#plain;
    }
    const [colour, radius] = text ? BADGE.number : BADGE.dot;
    const size = text.length > 2 ? 11 : 15;
    const circle = `<circle cx="${31 - radius}" cy="${31 - radius}" r="${radius}" fill="${colour}" stroke="#fff" stroke-width="2"/>`;
    const letters = `<text x="${31 - radius}" y="${31 - radius + size / 2.8}" font-family="sans-serif" font-weight="700" font-size="${size}" text-anchor="middle" fill="#fff">${text}</text>`;
    return `data:image/svg+xml,${encodeURIComponent(this.#picture.replace("</svg>", `${circle}${letters}</svg>`))}`;
  }
}
