/* The members of the open room who are not in it now, and who of the person's direct conversations has the site open. No DOM.

   Presence frames say who comes and goes at once; the rest is read again every two minutes while the page is visible. */

import { ApiError } from "../live/api.js";
import { Timers } from "../kit/timers.js";

const EVERY_MS = 120_000;
/** The most people that the server looks up at once. */
const MOST_ASKED = 50;

export class Away {
  #api;
  #timers;
  #isVisible;
  #friends;
  #onChange;
  #people = new Map(); // id -> {person, seen}
  #here = new Set();

  hasMore = false;

  /** `friends()`: the ids of those to look up; `onChange()`: somebody came, left, or was read. */
  constructor({ api, clock, isVisible, friends, onChange }) {
    this.#api = api;
    this.#timers = new Timers(clock);
    this.#isVisible = isVisible;
    this.#friends = friends;
    this.#onChange = onChange;
  }

  /** Read now, and again from time to time. */
  async read() {
    this.#timers.set("read", EVERY_MS, () => this.read());
    if (!this.#isVisible()) return;
    try {
      const { away, more, here } = await this.#api.readPeople(this.#friends().slice(0, MOST_ASKED));
      this.#people = new Map(away.map((each) => [each.person.id, each]));
      this.#here = new Set(here);
      this.hasMore = more;
      this.#onChange();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error; // it is read again
    }
  }

  /** Somebody has left the room just now. */
  leave(person) {
    this.#people.set(person.id, { person, seen: "today" });
  }

  /** Those who are not among the people in the room, who were here last first. */
  list(isPresent) {
    const order = ["here", "today", "week", ""];
    const away = [...this.#people.values()].filter(({ person }) => !isPresent(person.id));
    return away.sort((a, b) => order.indexOf(a.seen) - order.indexOf(b.seen) || a.person.name.localeCompare(b.person.name));
  }

  /** Whether somebody has the site open, as far as it was read. */
  isHere(id) {
    return this.#here.has(id);
  }
}
