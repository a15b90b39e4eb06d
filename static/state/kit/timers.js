/* Timers by name: setting a timer again replaces it. No DOM. */

export class Timers {
  #clock;
  #running = new Map();

  constructor(clock) {
    this.#clock = clock;
  }

  set(name, ms, action) {
    this.stop(name);
    const timer = this.#clock.setTimeout(() => {
      this.#running.delete(name);
      action();
    }, ms);
    this.#running.set(name, timer);
  }

  isSet(name) {
    return this.#running.has(name);
  }

  stop(name) {
    this.#clock.clearTimeout(this.#running.get(name));
    this.#running.delete(name);
  }

  stopAll() {
    for (const name of [...this.#running.keys()]) this.stop(name);
  }
}
