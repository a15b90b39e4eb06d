/* The note in the room that asks "Turn on notifications?", and the greeting, which goes when the reader begins to write. */

import { request } from "../../state/live/api.js";
import { Prompt } from "../../state/outbound/prompt.js";
import { findStorage } from "../kit/page.js";

/** Returns the prompt; its note appears when the prompt decides so. */
export function makePrompt({ page, toast }) {
  const { find } = page;
  const note = find("prompt");
  const prompt = new Prompt({
    permission: () => navigator.serviceWorker && globalThis.Notification?.permission,
    storage: findStorage("localStorage"),
    onAsk: () => {
      note.hidden = false;
    },
  });
  const answer = () => {
    prompt.answer();
    note.hidden = true;
  };
  find("prompt-no").addEventListener("click", answer);
  find("prompt-yes").addEventListener("click", async () => {
    answer();
    const { subscribe } = await import("./push.js");
    const state = await subscribe({ request: (url, options) => send(page, url, options) });
    toast.say(state === "on" || state === "local" ? "Notifications are on." : "Notifications are off. You can change that in your account.");
  });
  document.addEventListener("input", () => find("flash")?.remove(), { once: true });
  return prompt;
}

function send({ csrfToken, times }, url, { body } = {}) {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken };
  const options = body ? { method: "POST", headers, body: JSON.stringify(body) } : {};
  return request(url, { ...options, fetch: (...given) => fetch(...given), restate: (text) => times.restate(text) });
}
