/* How far the open room was read: told to the server now and then, and always the last one. No DOM. */

const TELL_EVERY_MS = 5000;

export class ReadPosition {
  #timers;
  #send;
  #told;
  #isWaiting = false;

  /** `send(sequence)` answers whether it could be sent. */
  constructor({ timers, position, send }) {
    this.#timers = timers;
    this.#send = send;
    this.#told = position;
    this.position = position;
  }

  /** It was read as far as this here; answers whether that is news. */
  see(sequence) {
    if (sequence <= this.position) return false;
    this.position = sequence;
    if (!this.#isWaiting) this.tell();
    return true;
  }

  /** It was read as far as this somewhere. */
  hear(sequence) {
    this.position = Math.max(this.position, sequence);
    this.#told = Math.max(this.#told, sequence);
  }

  /** Say it now, unless it was said: the page is left, or the connection is back. */
  tell() {
    if (this.position <= this.#told || !this.#send(this.position)) return;
    this.#told = this.position;
    this.#isWaiting = true;
    this.#timers.set("read", TELL_EVERY_MS, () => {
      this.#isWaiting = false;
      this.tell();
    });
  }
}
