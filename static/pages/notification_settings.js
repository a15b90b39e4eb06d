/* The entry module of the notification settings: shows the browser's permission, and asks for it. */

import { Notifications } from "../state/outbound/notifications.js";
import { protectCompositions } from "../views/kit/keys.js";
import { startServiceWorker } from "../views/outbound/browser_notifications.js";
import { isSubscribed, subscribe, unsubscribe } from "../views/outbound/push.js";

const SAID = {
  on: "This browser notifies you, even when the page is closed.",
  local: "This browser notifies you while a page of the site is open. Its push service cannot be reached.",
  off: "This browser does not notify you.",
  denied: "This browser blocks notifications of this site. You can change that in its settings.",
  unable: "This browser cannot show notifications here. They need https. On an iPhone or iPad, first add this site to the home screen.",
};

protectCompositions(document);
const root = document.querySelector("[data-notifications]");
if (root) start(root);

async function start(root) {
  const state = root.querySelector("[data-notifications-state]");
  const toggle = root.querySelector("[data-notifications-toggle]");
  const sound = root.querySelector("[data-notifications-sound]");
  const csrfToken = document.querySelector("meta[name=csrf-token]").content;
  const notifications = new Notifications({ storage: localStorage });
  sound.checked = notifications.hasSound;
  sound.addEventListener("change", () => {
    notifications.hasSound = sound.checked;
  });
  const api = { request: (url, { body } = {}) => request(url, body, csrfToken) };
  startServiceWorker();
  let now = await find();
  show();
  toggle.addEventListener("click", async () => {
    toggle.disabled = true;
    if (isOn()) {
      await unsubscribe(api);
      now = "off";
    } else now = await subscribe(api);
    toggle.disabled = false;
    show();
  });

  function isOn() {
    return now === "on" || now === "local";
  }

  function show() {
    state.textContent = SAID[now];
    toggle.textContent = isOn() ? "Turn off notifications" : "Turn on notifications";
    toggle.hidden = now === "unable" || now === "denied";
    root.hidden = false;
  }
}

async function find() {
  if (!globalThis.Notification || !navigator.serviceWorker) return "unable";
  if (Notification.permission === "denied") return "denied";
  if (Notification.permission !== "granted") return "off";
  return (await isSubscribed()) ? "on" : "local";
}

async function request(url, body, csrfToken) {
  const response = await fetch(url, {
    method: body ? "POST" : "GET",
    headers: { Accept: "application/json", ...(body && { "Content-Type": "application/json", "X-CSRFToken": csrfToken }) },
    body: body && JSON.stringify(body),
    credentials: "same-origin",
  });
  if (!response.ok) throw new Error(`The server answered with ${response.status}.`);
  return response.json();
}
