/* The read position of the open room: reported to the server every few seconds, and always when the page is left. No DOM. */

const REPORT_EVERY_MS = 5000;

export class ReadPosition {
  #timers;
  #send;
  #reported;
  #isWaiting = false;
  #isHeld = false; // the person marked a message as unread: nothing is read here until the page is opened again
  #marks;

  /** `marks`: how often the person has marked a message as unread; `send(sequence, marks)` returns whether it could be sent. */
  constructor({ timers, position, marks = 0, send }) {
    this.#timers = timers;
    this.#send = send;
    this.#reported = position;
    this.#marks = marks;
    this.position = position;
  }

  /** The person has read up to this sequence here; returns whether this is further than before. */
  see(sequence) {
    if (this.#isHeld || sequence <= this.position) return false;
    this.position = sequence;
    if (!this.#isWaiting) this.report();
    return true;
  }

  /** The server's position after so many marks as unread, from this or another device; with the newest mark, the messages after it stay unread. */
  apply(sequence, marks = this.#marks, isUnread = marks > this.#marks) {
    if (marks < this.#marks) return; // it was read before the mark
    if (marks > this.#marks) {
      this.#marks = marks;
      this.#isHeld = isUnread;
      this.position = this.#reported = sequence;
      return;
    }
    if (sequence > this.position) this.#isHeld = false; // the messages were read elsewhere
    this.position = Math.max(this.position, sequence);
    this.#reported = Math.max(this.#reported, sequence);
  }

  /** A message is being marked as unread. */
  hold() {
    this.#isHeld = true;
  }

  /** The message could not be marked as unread. */
  release() {
    this.#isHeld = false;
  }

  /** Report the position now, unless it was reported: the page is closed, or the connection is back. */
  report() {
    if (this.#isHeld || this.position <= this.#reported || !this.#send(this.position, this.#marks)) return;
    this.#reported = this.position;
    this.#isWaiting = true;
    this.#timers.set("read", REPORT_EVERY_MS, () => {
      this.#isWaiting = false;
      this.report();
    });
  }
}
