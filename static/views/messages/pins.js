/* The pinned messages of the room, behind a button in its bar. */

import { count, cut, plainText, shownName } from "../../state/kit/text.js";
import { isModified, onKeys } from "../kit/keys.js";

const MOST_CHARACTERS = 200;

export class PinsView {
  #root;
  #list;
  #items = new Map();
  #linkTo;

  /** `onGo(sequence)`: a pinned message was chosen. */
  constructor({ page, linkTo, onGo }) {
    const root = page.find("pins");
    this.#root = root;
    this.#list = root.querySelector("[data-pins-list]");
    this.#linkTo = linkTo;
    for (const item of this.#list.children) this.#items.set(item.dataset.id, item);
    this.#list.addEventListener("click", (event) => {
      const link = event.target.closest("a");
      if (!link || isModified(event)) return;
      event.preventDefault();
      root.open = false;
      onGo(Number(link.dataset.sequence));
    });
    onKeys(root, (meaning) => {
      if (meaning !== "Escape" || !root.open) return;
      root.open = false;
      root.querySelector("summary").focus();
    });
    document.addEventListener("click", ({ target }) => {
      if (!root.contains(target)) root.open = false;
    });
  }

  /** Handle changed messages: some may be pinned, unpinned or edited. */
  take(messages) {
    for (const message of messages) {
      const isPinned = message.pinned_at && !message.deleted_at;
      if (isPinned) this.#show(message);
      else if (this.#items.has(message.id)) {
        this.#items.get(message.id).remove();
        this.#items.delete(message.id);
      }
    }
    this.#root.hidden = this.#items.size === 0;
    this.#root.querySelector("[data-pins-count]").textContent = this.#items.size;
    this.#root.querySelector("[data-pins-label]").textContent = count(this.#items.size, "pinned message");
  }

  #show(message) {
    const item = this.#items.get(message.id) ?? document.createElement("li");
    const link = document.createElement("a");
    link.className = "pins__link";
    link.href = this.#linkTo(message);
    link.dataset.sequence = message.sequence;
    const author = document.createElement("bdi");
    author.className = "pins__author";
    author.textContent = shownName(message.author);
    const text = document.createElement("span");
    text.className = "pins__text";
    text.dir = "auto";
    text.textContent = cut(plainText(message.html), MOST_CHARACTERS);
    link.append(author, " ", text);
    item.dataset.id = message.id;
    item.replaceChildren(link);
    if (!item.isConnected) this.#list.append(item);
    this.#items.set(message.id, item);
  }
}
