/* What the browser has for notifications: its service worker, its permission, its push service, a sound. */


const ICON = "/static/icons/icon-192.png";

export function startServiceWorker() {
  // There is none where the page came neither by TLS nor from this machine.
  return navigator.serviceWorker?.register("/service-worker.js").catch(() => undefined);
}

/** For the class Notifications. */
export function browserOf(registration) {
  return {
    isLooking: () => document.visibilityState === "visible" && document.hasFocus(),
    mayNotify: () => globalThis.Notification?.permission === "granted",
    show: async (title, { body, tag, url }) => (await registration)?.showNotification(title, { body, tag, icon: ICON, data: { url } }),
    once,
    beep,
  };
}

/** Of all tabs, one does it: whoever gets the lock, which is kept until the others have asked too. */
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

/** Ask for permission and subscribe at the browser's push service; answers with `on`, `local`, or `denied`. */
export async function subscribe(api) {
  if ((await Notification.requestPermission()) !== "granted") return "denied";
  const registration = await navigator.serviceWorker?.ready;
  if (!registration?.pushManager) return "local";
  try {
    const { key } = await api.request("/api/push/key");
    const subscription = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
    await api.request("/api/push/subscriptions", { body: subscription.toJSON() });
    return "on";
  } catch {
    return "local"; // no push service can be reached: open tabs still tell
  }
}

export async function unsubscribe(api) {
  const registration = await navigator.serviceWorker?.ready;
  const subscription = await registration?.pushManager?.getSubscription();
  if (!subscription) return;
  await subscription.unsubscribe();
  await api.request("/api/push/subscriptions/end", { body: { endpoint: subscription.endpoint } });
}

export async function isSubscribed() {
  const registration = await navigator.serviceWorker?.getRegistration();
  return Boolean(await registration?.pushManager?.getSubscription());
}
