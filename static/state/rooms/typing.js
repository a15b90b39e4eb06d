/* Who is writing, and that one is writing oneself. No DOM. */

const TELL_EVERY_MS = 3000;
const LASTS_MS = 7000; // a little longer than the server's, which says itself when it is over

export class Typing {
  #user;
  #timers;
  #onChange;
  #people = [];

  constructor({ user, timers, onChange }) {
    this.#user = user;
    this.#timers = timers;
    this.#onChange = onChange;
  }

  /** Take a frame `typing`. */
  apply({ people }) {
    this.#show(people.filter(({ id }) => id !== this.#user.id));
  }

  /** Whoever has said it writes no longer; nor does anybody when the connection is lost. */
  stop(ids = this.#people.map(({ id }) => id)) {
    if (this.#people.some(({ id }) => ids.includes(id))) this.#show(this.#people.filter(({ id }) => !ids.includes(id)));
  }

  get text() {
    const names = this.#people.map(({ name }) => name);
    if (names.length === 0) return "";
    if (names.length === 1) return `${names[0]} is typing…`;
    if (names.length === 2) return `${names[0]} and ${names[1]} are typing…`;
    return "Several people are typing…";
  }

  #show(people) {
    this.#people = people;
    this.#timers.stop("typing");
    if (people.length) this.#timers.set("typing", LASTS_MS, () => this.stop());
    this.#onChange(this.text);
  }
}

/** Says that one is writing, at most every three seconds. */
export class TypingTeller {
  #clock;
  #send;
  #toldAt = -Infinity;

  constructor({ clock, send }) {
    this.#clock = clock;
    this.#send = send;
  }

  /** The text changed; an emptied composer says nothing. */
  type(text) {
    const now = this.#clock.now();
    if (!text.trim() || now - this.#toldAt < TELL_EVERY_MS) return;
    this.#toldAt = now;
    this.#send();
  }

  /** It was sent: the next one begins anew. */
  finish() {
    this.#toldAt = -Infinity;
  }
}
