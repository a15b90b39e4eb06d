/* Keeps the reader's place in the log: at the newest if they are there, else exactly where they read. */

const NEAR_PX = 48;

export class Scroller {
  #log;
  #onMove;
  #height;

  /** Whether the end of what is loaded is in view. */
  isAtEnd = true;
  /** Whether that end is the newest message, which is to stay in view. */
  isLive = true;

  constructor({ log, content, onMove }) {
    this.#log = log;
    this.#onMove = onMove;
    log.addEventListener("scroll", () => this.#moved(), { passive: true });
    // The keyboard opens, the composer grows, a window is turned: the end stays in view.
    const observer = new ResizeObserver(() => this.#follows && this.toEnd());
    observer.observe(log);
    observer.observe(content);
  }

  /** Change the log's content without moving what is being read. */
  keepPlace(change) {
    if (this.#follows) {
      change();
      this.toEnd();
      return;
    }
    const [anchor, edge] = this.#findAnchor();
    const before = anchor?.getBoundingClientRect()[edge];
    change();
    if (anchor?.isConnected) this.#log.scrollTop += anchor.getBoundingClientRect()[edge] - before;
  }

  toEnd() {
    this.isAtEnd = true;
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#height = this.#log.clientHeight;
  }

  /** Whether more than a screen lies between here and the end. */
  get isFarFromEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#log;
    return scrollHeight - scrollTop - 2 * clientHeight > 0;
  }

  /** Show an element in the middle, as far as the ends allow. */
  toMiddle(element) {
    const { top, height } = this.#log.getBoundingClientRect();
    const box = element.getBoundingClientRect();
    this.#log.scrollTop += box.top - top - Math.max(NEAR_PX, (height - box.height) / 2);
    this.#moved();
  }

  /** Show an element at the upper edge, or the end if that is nearer. */
  toElement(element) {
    const { top } = this.#log.getBoundingClientRect();
    this.#log.scrollTop += element.getBoundingClientRect().top - top - NEAR_PX;
    this.#moved();
  }

  get #follows() {
    return this.isAtEnd && this.isLive;
  }

  #moved() {
    const { scrollHeight, scrollTop, clientHeight } = this.#log;
    // A log that shrank reports a scroll too: the reader did not move.
    const hasShrunk = clientHeight < this.#height;
    this.#height = clientHeight;
    if (hasShrunk && this.#follows) this.toEnd();
    else this.isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    this.#onMove();
  }

  /** The first message in view, and the edge of it that is to stay: the lower one for the first message of all,
      which may lose its head when others come before it. */
  #findAnchor() {
    const { top } = this.#log.getBoundingClientRect();
    const messages = this.#log.querySelectorAll("[data-message]");
    for (const element of messages) {
      if (element.getBoundingClientRect().bottom > top) return [element, element === messages[0] ? "bottom" : "top"];
    }
    return [null, "top"];
  }
}
