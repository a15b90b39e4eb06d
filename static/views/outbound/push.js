/* Subscribes to the browser's push service, which delivers notifications while no page is open. */

/** Ask for permission and subscribe at the browser's push service; returns `on`, `local`, `denied`, or `off` if the
    question was closed without an answer. */
export async function subscribe(api) {
  const permission = await Notification.requestPermission();
  if (permission !== "granted") return permission === "denied" ? "denied" : "off";
  const registration = await navigator.serviceWorker?.ready;
  if (!registration?.pushManager) return "local";
  try {
    const { key } = await api.request("/api/push/key");
    const subscription = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
    await api.request("/api/push/subscriptions", { body: subscription.toJSON() });
    return "on";
  } catch {
    return "local"; // the push service cannot be reached: open tabs still notify
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
