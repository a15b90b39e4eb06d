/* The person's own messages that wait for approval, below the others: each can be taken back, or put away once rejected. */

import { reconcile } from "./timeline.js";

export class HeldView {
  #list;
  #announcer;
  #messageView;
  #user;
  #onWithdraw;
  #elements = new Map();

  constructor({ list, announcer, messageView, user, onWithdraw }) {
    this.#list = list;
    this.#announcer = announcer;
    this.#messageView = messageView;
    this.#user = user;
    this.#onWithdraw = onWithdraw;
  }

  render(messages) {
    reconcile(this.#list, messages.map((message) => this.#elementOf(message)));
    this.#list.hidden = messages.length === 0;
    const kept = new Set(messages.map(({ id }) => id));
    for (const id of this.#elements.keys()) if (!kept.has(id)) this.#elements.delete(id);
  }

  #elementOf(message) {
    const known = this.#elements.get(message.id);
    if (known?.dataset.state === message.state) return known;
    const { id, client_id, text, reply_to, files, held_at, state, reason } = message;
    const element = this.#messageView.make({ client_id, text, reply_to, files, author: this.#user, sent_at: held_at });
    element.dataset.held = id;
    element.dataset.state = state;
    element.classList.add(state === "rejected" ? "message--failed" : "message--pending");
    const line = document.createElement("p");
    line.className = "message__state";
    const sentence = document.createElement("span");
    sentence.textContent = state === "rejected" ? `Rejected: ${reason}` : "Waiting for approval";
    line.append(sentence, this.#button(state === "rejected" ? "Dismiss" : "Withdraw", id));
    element.append(line);
    this.#announcer.textContent = sentence.textContent;
    this.#elements.set(id, element);
    return element;
  }

  #button(label, id) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button--outline button--small";
    button.textContent = label;
    button.addEventListener("click", async () => {
      button.disabled = true;
      await this.#onWithdraw(id);
      button.disabled = false;
    });
    return button;
  }
}
