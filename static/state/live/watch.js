/* Detects that an open connection may be dead: the machine slept, or no frame arrived for a long time. No DOM. */

const TICK_MS = 5000;
const SLEEP_MS = 15_000;
const SLEEP_HIDDEN_MS = 120_000; // browsers run timers of a hidden tab once a minute
const SILENCE_MS = 90_000;

export class Watch {
  #clock;
  #timers;
  #isVisible;
  #receivedAt;
  #onDoubt;
  #tickedAt = 0;
  #askedAt = 0; // the last check because of silence

  /** `receivedAt()`: the time of the last frame, `Infinity` without a live connection; `onDoubt()`: check the connection. */
  constructor({ clock, timers, isVisible, receivedAt, onDoubt }) {
    this.#clock = clock;
    this.#timers = timers;
    this.#isVisible = isVisible;
    this.#receivedAt = receivedAt;
    this.#onDoubt = onDoubt;
  }

  start() {
    this.#tickedAt = this.#clock.now();
    this.#timers.set("tick", TICK_MS, () => this.#tick());
  }

  #tick() {
    const now = this.#clock.now();
    const sleptMs = now - this.#tickedAt - TICK_MS;
    this.start();
    const isVisible = this.#isVisible();
    const wasAsleep = sleptMs > (isVisible ? SLEEP_MS : SLEEP_HIDDEN_MS);
    const isSilent = isVisible && now - Math.max(this.#receivedAt(), this.#askedAt) > SILENCE_MS;
    if (!wasAsleep && !isSilent) return;
    this.#askedAt = now;
    this.#onDoubt();
  }
}
