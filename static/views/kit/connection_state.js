/* Shows the state of the connection as text. */

import { count } from "../../state/kit/text.js";

const TOLD_FOR_MS = 6000;

export class StateView {
  #root;
  #text;
  #loginUrl;
  #timer;

  constructor({ find, data }) {
    this.#root = find("state");
    this.#text = find("state-text");
    this.#loginUrl = data.loginUrl;
  }

  show(state) {
    clearTimeout(this.#timer);
    this.#root.hidden = false;
    this.#root.dataset.state = state.name;
    this.#say(state);
    if (state.name === "live" && state.missed) {
      this.#timer = setTimeout(() => this.#say({ name: "live" }), TOLD_FOR_MS);
    }
  }

  #say(state) {
    const text = describe(state);
    if (this.#text.textContent === text) return;
    this.#text.replaceChildren(text);
    if (state.name === "signed_out") this.#text.append(" ", makeLink(this.#loginUrl, "Log in again"));
    if (state.name === "stale") this.#text.append(" ", makeLink("", "Reload"));
  }
}

function makeLink(url, text) {
  const link = document.createElement("a");
  link.href = url;
  link.textContent = text;
  return link;
}

function describe({ name, missed, message }) {
  switch (name) {
    case "live":
      return missed ? `Live, ${count(missed, "message")} caught up` : "Live";
    case "catching_up":
      return missed ? `Catching up (${missed} missed)` : "Catching up…";
    case "reconnecting":
      return "Connection lost. Reconnecting…";
    case "offline":
      return "Offline";
    case "polling":
      return "No live connection, checking every 3 s";
    case "signed_out":
      return "Your session ended.";
    case "stale":
      return "The server has an older state than this page.";
    case "closed":
      return message || "You cannot enter this room.";
    default:
      return "Connecting…";
  }
}
