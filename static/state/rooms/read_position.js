/* How far the open room was read: reported to the server every few seconds, the last position always. No DOM. */

const REPORT_EVERY_MS = 5000;

export class ReadPosition {
  #timers;
  #send;
  #reported;
  #isWaiting = false;

  /** `send(sequence)` answers whether it could be sent. */
  constructor({ timers, position, send }) {
    this.#timers = timers;
    this.#send = send;
    this.#reported = position;
    this.position = position;
  }

  /** It was read as far as this here; answers whether that is news. */
  see(sequence) {
    if (sequence <= this.position) return false;
    this.position = sequence;
    if (!this.#isWaiting) this.report();
    return true;
  }

  /** It was read as far as this, here or on another device. */
  apply(sequence) {
    this.position = Math.max(this.position, sequence);
    this.#reported = Math.max(this.#reported, sequence);
  }

  /** Report it now, unless it was reported: the page is left, or the connection is back. */
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
