/* The read position of the open room: reported to the server every few seconds, and always when the page is left. No DOM. */

const REPORT_EVERY_MS = 5000;

export class ReadPosition {
  #timers;
  #send;
  #reported;
  #isWaiting = false;

  /** `send(sequence)` returns whether it could be sent. */
  constructor({ timers, position, send }) {
    this.#timers = timers;
    this.#send = send;
    this.#reported = position;
    this.position = position;
  }

  /** The person has read up to this sequence here; returns whether this is further than before. */
  see(sequence) {
    if (sequence <= this.position) return false;
    this.position = sequence;
    if (!this.#isWaiting) this.report();
    return true;
  }

  /** The person has read up to this sequence, here or on another device. */
  apply(sequence) {
    this.position = Math.max(this.position, sequence);
    this.#reported = Math.max(this.#reported, sequence);
  }

  /** Report the position now, unless it was reported: the page is closed, or the connection is back. */
  report() {
    if (this.position <= this.#reported || !this.#send(this.position)) return;
    this.#reported = this.position;
    this.#isWaiting = true;
    this.#timers.set("read", REPORT_EVERY_MS, () => {
      this.#isWaiting = false;
      this.report();
    });
  }
}
