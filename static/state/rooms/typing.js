/* Keeps who is typing, and announces that this person is typing. No DOM. */

const NOTIFY_EVERY_MS = 3000;
const LASTS_MS = 7000; // a little longer than the server's time; the server announces the end itself

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

  /** Handle a `typing` frame. */
  apply({ people }) {
    this.#show(people.filter(({ id }) => id !== this.#user.id));
  }

  /** People who posted have stopped typing; without ids, everybody has (the connection is lost). */
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

/** Notifies the others that the person is typing, at most every three seconds. */
export class TypingNotifier {
  #clock;
  #send;
  #notifiedAt = -Infinity;

  constructor({ clock, send }) {
    this.#clock = clock;
    this.#send = send;
  }

  /** The text changed; an empty composer announces nothing. */
  type(text) {
    const now = this.#clock.now();
    if (!text.trim() || now - this.#notifiedAt < NOTIFY_EVERY_MS) return;
    this.#notifiedAt = now;
    this.#send();
  }

  /** The message was sent: announce the next one at once. */
  finish() {
    this.#notifiedAt = -Infinity;
  }
}
