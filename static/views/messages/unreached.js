/* The note above the composer: whom the person's message mentions although they are not in the room, with a button to add them. */

import { findProblemOf } from "../../state/live/api.js";

export class UnreachedView {
  #api;
  #list;
  #template;
  #onLeave;

  /** `onLeave()`: the note with the focus is gone. */
  constructor({ page, api, onLeave }) {
    this.#api = api;
    this.#list = page.find("unreached");
    this.#template = page.find("unreached-template");
    this.#onLeave = onLeave;
    this.#list.addEventListener("submit", (event) => this.#add(event));
    this.#list.addEventListener("click", (event) => this.#dismiss(event));
  }

  /** Show `unreached` of an answer to a post or edit, in place of an earlier note. */
  show(unreached) {
    this.#list.replaceChildren(...unreached.map((each) => this.#makeItem(each)));
  }

  #makeItem({ name, message, may_add }) {
    const item = this.#template.content.firstElementChild.cloneNode(true);
    item.querySelector("[data-unreached-text]").textContent = message;
    const form = item.querySelector("form");
    if (may_add) form.elements.username.value = name;
    else form.remove();
    return item;
  }

  async #add(event) {
    event.preventDefault();
    const form = event.target;
    const button = form.querySelector("button");
    button.disabled = true;
    const problem = await findProblemOf(() => this.#api.addMember(form.elements.username.value));
    button.disabled = false;
    if (problem) form.closest("[data-unreached-item]").querySelector("[data-unreached-text]").textContent = problem;
    else this.#close(form);
  }

  #dismiss(event) {
    if (!event.target.closest("[data-unreached-close]")) return;
    event.preventDefault();
    this.#close(event.target);
  }

  #close(element) {
    element.closest("[data-unreached-item]").remove();
    this.#onLeave();
  }
}
