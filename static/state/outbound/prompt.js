/* Decides when the room asks "Turn on notifications?": once, after the first message that concerns the reader. No DOM. */

const KEY = "chatroom:asked-for-notifications";

export class Prompt {
  #permission;
  #storage;
  #onAsk;
  #isAsking = false;

  /** `permission()` is the browser's `Notification.permission`, or undefined if it shows no notifications. */
  constructor({ permission, storage, onAsk }) {
    this.#permission = permission;
    this.#storage = storage;
    this.#onAsk = onAsk;
  }

  /** A mention or a direct message has arrived. */
  concern() {
    if (this.#isAsking || this.#permission() !== "default" || !this.#storage || this.#storage.getItem(KEY)) return;
    this.#isAsking = true;
    this.#onAsk();
  }

  /** The reader has answered, with yes or no. The room does not ask again in this browser. */
  answer() {
    this.#storage.setItem(KEY, "yes");
  }
}
