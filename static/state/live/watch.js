/* Notices when a connection that seems open may be dead: the machine slept, or nothing came for long. No DOM. */

const TICK_MS = 5000;
const SLEEP_MS = 15_000;
const SLEEP_HIDDEN_MS = 120_000; // browsers wake a hidden tab once a minute
const SILENCE_MS = 90_000;

export class Watch {
  #clock;
  #timers;
  #isVisible;
  #receivedAt;
  #onDoubt;
  #tickedAt = 0;
  #askedAt = 0; // when silence last made us ask

  /** `receivedAt()`: when the last frame came, `Infinity` while there is no live connection; `onDoubt()`: it should be checked. */
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
