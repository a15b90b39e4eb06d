/* Keeps the reader's place in the log: at the newest message if the reader is at the end, otherwise where they read. */

const NEAR_PX = 48;

export class Scroller {
  #log;
  #onMove;
  #height;

  /** Whether the end of the loaded messages is in view. */
  isAtEnd = true;
  /** Whether this end is the newest message, which must stay in view. */
  isLive = true;

  constructor({ log, content, onMove }) {
    this.#log = log;
    this.#onMove = onMove;
    log.addEventListener("scroll", () => this.#moved(), { passive: true });
    // The end stays in view when the keyboard opens, the composer grows or the screen turns.
    const observer = new ResizeObserver(() => this.#follows && this.toEnd());
    observer.observe(log);
    observer.observe(content);
  }

  /** Change the log's content without moving the text that the reader is reading. */
  keepPlace(change) {
    if (this.#height === undefined) {
      change(); // the page was just opened: there is no place to keep, and finding it would lay out the page
      return;
    }
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

  /** Whether the end is more than a screen away. */
  get isFarFromEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#log;
    return scrollHeight - scrollTop - 2 * clientHeight > 0;
  }

  /** The number of the first of these elements (which are in their order) that is in view, and of the first that ends below it. */
  findView(count, elementAt) {
    const { top, bottom } = this.#log.getBoundingClientRect();
    const find = (isAbove) => findPlace(count, (place) => isAbove(elementAt(place).getBoundingClientRect()));
    return [find((box) => box.bottom <= top), find((box) => box.bottom <= bottom)];
  }

  /** Show an element in the middle of the log, if the ends allow it. */
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
    // A log that shrank also reports a scroll: the reader did not move.
    const hasShrunk = clientHeight < this.#height;
    this.#height = clientHeight;
    if (hasShrunk && this.#follows) this.toEnd();
    else this.isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    this.#onMove();
  }

  /** The first visible message, and which of its edges must stay in place: the lower edge for the first message of
      the log, because its head may disappear when messages are added before it. */
  #findAnchor() {
    const { top } = this.#log.getBoundingClientRect();
    const messages = this.#log.querySelectorAll("[data-message]");
    for (const element of messages) {
      if (element.getBoundingClientRect().bottom > top) return [element, element === messages[0] ? "bottom" : "top"];
    }
    return [null, "top"];
  }
}

/** The first place from which on the condition is false. */
function findPlace(count, isBefore) {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
