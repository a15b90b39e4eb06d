/* The person's own drafts below the messages: on their way, late, or failed with what can be done about it. */

import { reconcile } from "./timeline.js";

export class PendingView {
  #list;
  #messageView;
  #user;
  #actions;
  #announcer;
  #elements = new Map();

  /** `actions`: what the buttons of a failed draft do, `retry`, `edit` and `discard`, each with its `client_id`. */
  constructor({ list, announcer, messageView, user, actions }) {
    this.#list = list;
    this.#announcer = announcer;
    this.#messageView = messageView;
    this.#user = user;
    this.#actions = actions;
  }

  /** Show these drafts; `slow` are those without an answer for too long. */
  render(drafts, { slow, state }) {
    const elements = drafts.map((draft) => this.#elementOf(draft));
    drafts.forEach((draft, index) => this.#explain(elements[index], draft, explain(draft, { slow, state })));
    reconcile(this.#list, elements);
    this.#list.hidden = drafts.length === 0;
    const kept = new Set(drafts.map(({ client_id }) => client_id));
    for (const key of this.#elements.keys()) if (!kept.has(key)) this.#elements.delete(key);
  }

  #elementOf(draft) {
    let element = this.#elements.get(draft.client_id);
    if (!element) {
      element = this.#messageView.make({ ...draft, author: this.#user, sent_at: draft.created_at });
      element.classList.add("message--pending");
      const state = document.createElement("p");
      state.className = "message__state";
      element.append(state);
      this.#elements.set(draft.client_id, element);
    }
    return element;
  }

  #explain(element, { client_id, problem }, text) {
    const state = element.querySelector(".message__state");
    if (state.dataset.said === text) return;
    state.dataset.said = text;
    element.classList.toggle("message--failed", Boolean(problem));
    element.classList.toggle("message--pending", !problem);
    const sentence = document.createElement("span");
    sentence.textContent = text;
    if (problem) this.#announcer.textContent = text;
    const buttons = problem ? [["Try again", "retry"], ["Edit", "edit"], ["Discard", "discard"]] : [];
    state.replaceChildren(sentence, ...buttons.map(([label, name]) => this.#button(label, () => this.#actions[name](client_id))));
  }

  #button(label, action) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button--outline button--small";
    button.textContent = label;
    button.addEventListener("click", action);
    return button;
  }
}

const WAITING = {
  offline: "Waiting until you are online again.",
  reconnecting: "Waiting for the connection.",
  connecting: "Waiting for the connection.",
  signed_out: "Kept here. It will be sent after you log in.",
  stale: "Kept here. It will be sent after you reload the page.",
  closed: "Kept here.",
};

function explain({ client_id, problem }, { slow, state }) {
  if (problem) return `Not sent. ${problem}`;
  if (WAITING[state.name]) return WAITING[state.name];
  return slow.has(client_id) ? "Not stored yet, still trying." : "Sending…";
}
