/* The open reports and held messages that this person may decide. No DOM. */

import { Timers } from "../kit/timers.js";
import { shorten } from "../rooms/rooms.js";

/** The shortest time between two reads of the numbers. */
export const PAUSE_MS = 2000;
const MOST_HELD = 100;

export class Cases {
  #read;
  #timers;
  #onChange;
  #isWanted = false;

  /** `read()` returns `{reports, held}`, or nothing if it failed; `onChange(numbers)`: the numbers were read. */
  constructor({ read, clock, onChange }) {
    this.#read = read;
    this.#timers = new Timers(clock);
    this.#onChange = onChange;
  }

  /** The numbers changed: read them now, or at the end of the pause after the last read. */
  async renew() {
    if (this.#timers.isSet("pause")) {
      this.#isWanted = true;
      return;
    }
    this.#isWanted = false;
    this.#timers.set("pause", PAUSE_MS, () => this.#isWanted && this.renew());
    const numbers = await this.#read();
    if (numbers) this.#onChange(numbers);
  }
}

/** The title of the page with this number of cases. The mark of unread messages stays in front of it. */
export function withCases(title, count) {
  const [, mark, rest] = /^(\(\d+\+?\) |• )?(?:⚑ \d+\+? – )?(.*)$/su.exec(title);
  return `${mark ?? ""}${count ? `⚑ ${shorten(count)} – ` : ""}${rest}`;
}

/** The sentence above the messages. templates/chatroom.html has the same. */
export function sayHeld(held) {
  if (held >= MOST_HELD) return "100 or more messages are waiting for approval.";
  return held === 1 ? "1 message is waiting for approval." : `${held} messages are waiting for approval.`;
}
