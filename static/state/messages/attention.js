/* Whether the person looks at the page. Only then, what is on the screen becomes read. No DOM.

   A window in the background is visible, but has no focus. A locked or sleeping computer may have both, but nobody uses it. */

const AWAY_AFTER_MS = 3 * 60_000;

export class Attention {
  #browser;
  #clock;
  #onReturn;
  #usedAt;

  /** `browser` knows `isLooking`; `onReturn()`: the person is here (again). */
  constructor({ browser, clock, onReturn }) {
    this.#browser = browser;
    this.#clock = clock;
    this.#onReturn = onReturn;
    this.#usedAt = clock.now();
  }

  get isHere() {
    return this.#browser.isLooking() && !this.#isUnused;
  }

  /** The person pressed a key, wrote, or moved the focus or the pointer. */
  use() {
    const wasUnused = this.#isUnused;
    this.#usedAt = this.#clock.now();
    if (wasUnused) this.come();
  }

  /** The page got the focus, or is visible again. */
  come() {
    if (!this.#browser.isLooking()) return;
    this.#usedAt = this.#clock.now();
    this.#onReturn();
  }

  get #isUnused() {
    return this.#clock.now() - this.#usedAt >= AWAY_AFTER_MS;
  }
}
