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

/** Notifies the others that the person is typing, at most every three seconds, and when that is over. */
export class TypingNotifier {
  #clock;
  #send;
  #notifiedAt = -Infinity;

  /** `send(isTyping)` */
  constructor({ clock, send }) {
    this.#clock = clock;
    this.#send = send;
  }

  /** The composer has this text now: an empty one, after the message was sent or cleared, ends the announcement. */
  type(text) {
    const age = this.#clock.now() - this.#notifiedAt;
    if (!text.trim()) {
      this.#notifiedAt = -Infinity;
      if (age < LASTS_MS) this.#send(false);
    } else if (age >= NOTIFY_EVERY_MS) {
      this.#notifiedAt = this.#clock.now();
      this.#send(true);
    }
  }
}
