/* The browser's side of notifications while the page is open: service worker, permission, sound. */

import { isLooking } from "../kit/page.js";

const ICON = "/static/icons/icon-192.png";

export function startServiceWorker() {
  // Browsers provide it only to pages over TLS or from this machine.
  return navigator.serviceWorker?.register("/service-worker.js").catch(() => undefined);
}

/** The browser object for the class `Notifications`. */
export function browserOf(registration) {
  return {
    isLooking,
    mayNotify: () => globalThis.Notification?.permission === "granted",
    show: async (title, { body, tag, url, revision }) =>
      (await registration)?.showNotification(title, { body, tag, icon: ICON, data: { url, revision } }),
    close: async (isOver) => {
      for (const each of (await (await registration)?.getNotifications?.()) ?? []) if (isOver(each)) each.close();
    },
    once,
    beep,
  };
}

/** Run a function in only one tab: the tab that gets the lock, and keeps it until the other tabs have tried too. */
function once(name, ms, action) {
  if (!navigator.locks) return action();
  return navigator.locks.request(`chatroom:${name}`, { ifAvailable: true }, (lock) => {
    if (!lock) return undefined;
    action();
    return new Promise((resolve) => setTimeout(resolve, ms));
  });
}

function beep() {
  const context = new AudioContext();
  const tone = context.createOscillator();
  const volume = context.createGain();
  tone.frequency.value = 660;
  volume.gain.setValueAtTime(0.15, context.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, context.currentTime + 0.35);
  tone.connect(volume).connect(context.destination);
  tone.start();
  tone.stop(context.currentTime + 0.35);
  tone.onended = () => context.close();
}
