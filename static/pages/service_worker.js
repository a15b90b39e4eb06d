/* The service worker: shows push notifications, and cached pages while there is no network. A classic script, because
   not all browsers run modules as service workers.

   The network always has priority over the cache. Cached pages belong to the logged-in user. They are deleted at a
   log-out, and before a log-in, because sessions also expire. */

const FILES = "files-2";
const PAGES = "pages-1";
const MOST_PAGES = 20;
const OFFLINE = "/static/offline.html";
const OFFLINE_SHEET = "/static/css/site.css";
const VERSIONED = "/static/~"; // unchanging files: the browser's own cache has them, offline too
const PAGE = /^\/chatroom(\/|$)/;
const ENDS = new Set(["/logout", "/login", "/register"]);

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(FILES).then((files) => files.addAll([OFFLINE, OFFLINE_SHEET])));
  event.addRoutes?.({ condition: { urlPattern: { pathname: `${VERSIONED}*` } }, source: "network" });
  self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  event.waitUntil(forgetOldCaches().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && ENDS.has(url.pathname)) event.waitUntil(Promise.all([caches.delete(PAGES), closeAll()]));
  if (request.method !== "GET") return;
  if (url.pathname.startsWith(VERSIONED)) return;
  if (url.pathname.startsWith("/static/")) event.respondWith(fromNetworkOr(FILES, request));
  else if (request.mode === "navigate") event.respondWith(findPage(request, url));
});

self.addEventListener("push", (event) => event.waitUntil(notify(event.data)));

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { url } = event.notification.data ?? {};
  event.waitUntil(goTo(url ? `${url}#notified` : "/chatroom")); // the page marks the message as read
});

async function findPage(request, url) {
  if (!PAGE.test(url.pathname) || url.search) return fetch(request).catch(() => caches.match(OFFLINE));
  try {
    const response = await fetch(request);
    if (response.redirected || response.status === 401) await caches.delete(PAGES); // nobody is logged in now
    else if (response.ok) await keep(PAGES, request, response.clone());
    return response;
  } catch {
    return (await caches.match(request, { cacheName: PAGES, ignoreVary: true })) ?? caches.match(OFFLINE);
  }
}

async function fromNetworkOr(name, request) {
  try {
    const response = await fetch(request);
    if (response.ok) keep(name, request, response.clone());
    return response;
  } catch (error) {
    const kept = await caches.match(request, { cacheName: name, ignoreVary: true });
    if (kept) return kept;
    throw error;
  }
}

async function keep(name, request, response) {
  const cache = await caches.open(name);
  await cache.put(request, response);
  if (name !== PAGES) return;
  const kept = await cache.keys();
  for (const surplus of kept.slice(0, Math.max(0, kept.length - MOST_PAGES))) await cache.delete(surplus);
}

async function forgetOldCaches() {
  for (const name of await caches.keys()) if (name !== FILES && name !== PAGES) await caches.delete(name);
}

/** A message has the same tag here and in the page, so that it is shown once. */
async function notify(data) {
  const { title, body, url, tag, revision } = data.json();
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  if (windows.some((each) => each.visibilityState === "visible" && each.focused)) return;
  await self.registration.showNotification(title, { body, tag, data: { url, revision }, icon: "/static/icons/icon-192.png" });
  await tidy(tag);
}

/** Close the notifications of messages that were read on another device. A push of its own for this would be visible:
    browsers demand that every push shows something. So the new notification stays until the next push or page. */
async function tidy(newest) {
  try {
    const others = (await self.registration.getNotifications()).filter(({ tag }) => tag !== newest);
    if (!others.length) return;
    const response = await fetch("/api/rooms");
    if (!response.ok && response.status !== 401) return;
    const { rooms = [] } = await response.json(); // after a log-out, there are none
    const readTo = new Map(rooms.map(({ slug, read_sequence }) => [slug, read_sequence]));
    const isUnread = ({ tag, data }) => tag.startsWith("reminder:") || data?.revision > readTo.get(tag.slice(0, tag.lastIndexOf("-")));
    for (const each of others) if (!isUnread(each)) each.close();
  } catch {
    // There is no network: the notifications stay.
  }
}

async function closeAll() {
  for (const each of (await self.registration.getNotifications?.()) ?? []) each.close();
}

async function goTo(url) {
  const windows = await self.clients.matchAll({ type: "window" });
  const open = windows.find((each) => new URL(each.url).pathname.startsWith("/chatroom"));
  if (!open) return self.clients.openWindow(url);
  await open.focus();
  return open.navigate(url);
}
