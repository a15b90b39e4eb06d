/* Shows the person's messages that are not in the room yet: drafts with their state, and held messages. */

import { reconcile } from "../kit/list.js";

export class PendingView {
  #list;
  #messageView;
  #user;
  #actions;
  #announcer;
  #elements = new Map();

  /** `actions`: the functions of a failed draft's buttons, `retry`, `edit` and `discard`; each gets the `client_id`. */
  constructor({ page, messageView, actions }) {
    this.#list = page.find("pending");
    this.#announcer = page.find("announcer");
    this.#messageView = messageView;
    this.#user = page.user;
    this.#actions = actions;
  }

  /** Show these drafts; `explain(draft)` returns what happens to one. */
  render(drafts, explain) {
    showAll(this.#list, drafts.map((draft) => this.#elementOf(draft)));
    for (const draft of drafts) this.#explain(this.#elements.get(draft.client_id), draft, explain(draft));
    forgetOthers(this.#elements, drafts.map(({ client_id }) => client_id));
  }

  #elementOf(draft) {
    let element = this.#elements.get(draft.client_id);
    if (!element) {
      element = this.#messageView.make({ ...draft, author: this.#user, sent_at: draft.created_at });
      element.classList.add("message--pending");
      element.append(makeState());
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
    if (problem) this.#announcer.textContent = text;
    const buttons = problem ? [["Try again", "retry"], ["Edit", "edit"], ["Discard", "discard"]] : [];
    say(state, text, ...buttons.map(([label, name]) => makeButton(label, () => this.#actions[name](client_id))));
  }
}

export class HeldView {
  #list;
  #announcer;
  #messageView;
  #user;
  #onWithdraw;
  #elements = new Map();

  /** `onWithdraw(id)`: the person withdraws a message, or dismisses a rejected one. */
  constructor({ page, messageView, onWithdraw }) {
    this.#list = page.find("held-list");
    this.#announcer = page.find("announcer");
    this.#messageView = messageView;
    this.#user = page.user;
    this.#onWithdraw = onWithdraw;
  }

  render(messages) {
    showAll(this.#list, messages.map((message) => this.#elementOf(message)));
    forgetOthers(this.#elements, messages.map(({ id }) => id));
  }

  #elementOf(message) {
    const known = this.#elements.get(message.id);
    if (known?.dataset.state === message.state) return known;
    const { id, client_id, text, reply_to, files, held_at, state, reason } = message;
    const element = this.#messageView.make({ client_id, text, reply_to, files, author: this.#user, sent_at: held_at });
    element.dataset.held = id;
    element.dataset.state = state;
    const isRejected = state === "rejected";
    element.classList.add(isRejected ? "message--failed" : "message--pending");
    const line = makeState();
    const sentence = isRejected ? `Rejected: ${reason}` : "Waiting for approval";
    say(line, sentence, makeButton(isRejected ? "Dismiss" : "Withdraw", (button) => this.#withdraw(id, button)));
    element.append(line);
    this.#announcer.textContent = sentence;
    this.#elements.set(id, element);
    return element;
  }

  async #withdraw(id, button) {
    button.disabled = true;
    await this.#onWithdraw(id);
    button.disabled = false;
  }
}

function showAll(list, elements) {
  reconcile(list, elements);
  list.hidden = elements.length === 0;
}

function forgetOthers(elements, keys) {
  const kept = new Set(keys);
  for (const key of elements.keys()) if (!kept.has(key)) elements.delete(key);
}

function makeState() {
  const state = document.createElement("p");
  state.className = "message__state";
  return state;
}

function say(state, text, ...buttons) {
  const sentence = document.createElement("span");
  sentence.textContent = text;
  state.replaceChildren(sentence, ...buttons);
}

function makeButton(label, onClick) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button button--outline button--small";
  button.textContent = label;
  button.addEventListener("click", () => onClick(button));
  return button;
}
