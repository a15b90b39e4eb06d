/* The page's data and elements, and the browser's functions that other modules need: clock, storage, ids, websocket. */

import { timesOfReader } from "../../state/kit/times.js";

const MINUTE_MS = 60_000;

export const clock = {
  now: () => Date.now(),
  setTimeout: (action, ms) => setTimeout(action, ms),
  clearTimeout: (timer) => clearTimeout(timer),
};

/** Let the browser draw and handle events before the rest of a long start. */
export function turn() {
  return globalThis.scheduler?.yield ? scheduler.yield() : new Promise((resolve) => setTimeout(resolve));
}

/** Read the data that the server wrote into the page; `find(name)` finds the element with the attribute `data-name`. */
export function readPage(root) {
  const { dataset: data } = root;
  return {
    root,
    data,
    find: (name) => document.querySelector(`[data-${name}]`),
    csrfToken: document.querySelector("meta[name=csrf-token]").content,
    times: findTimes(),
    user: { id: data.user, name: data.userName },
    room: { slug: data.room, title: data.roomTitle, kind: data.roomKind, notify: data.notify },
    mayModerate: data.mayModerate === "true",
    isHistory: data.history === "true",
  };
}

/** The formats of times for this page's reader. */
export function findTimes() {
  const { lang: language, dataset } = document.documentElement;
  return timesOfReader({ language, languages: navigator.languages, timeZone: dataset.timeZone || undefined });
}

/** Show the server's times in the reader's format and time zone. */
export function showTimes(root, times) {
  for (const element of root.querySelectorAll("time[data-time]")) if (element.dateTime) showTime(element, times);
}

/** The same, and keep the names of the days right. */
export function localizeTimes(root, times) {
  showTimes(root, times);
  onNewDay(times, () => {
    for (const element of root.querySelectorAll("time[data-time=day]")) showTime(element, times);
  });
}

/** Fill a `<time>` from its `datetime`: `data-time` is the format, `data-zone` the time zone if it is not the reader's. */
export function showTime(element, readersTimes) {
  const { dateTime, dataset } = element;
  const times = dataset.zone ? readersTimes.inZone(dataset.zone) : readersTimes;
  const isDay = dataset.time === "day";
  element.title = isDay ? times.day(dateTime) : times.full(dateTime);
  element.textContent = isDay ? times.dayLabel(dateTime) : dataset.time === "clock" ? times.clock(dateTime) : times.moment(dateTime);
}

/** Call `renew` when a day begins in the reader's time zone. Timers stop while a computer sleeps. */
export function onNewDay(times, renew) {
  let { today } = times;
  const check = () => {
    if (times.today === today) return;
    today = times.today;
    renew();
  };
  const wait = () => {
    check();
    setTimeout(wait, MINUTE_MS - (Date.now() % MINUTE_MS));
  };
  wait();
  document.addEventListener("visibilitychange", check);
}

/** Report the browser's time zone to the server, for pages that come with the right times; returns whether it is new. */
export function reportTimeZone() {
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  const cookie = `time_zone=${timeZone}`;
  const isKept = () => document.cookie.split("; ").includes(cookie);
  if (!timeZone || isKept()) return false;
  document.cookie = `${cookie}; path=/; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
  return isKept();
}

/** The browser's functions that a connection needs: opening a websocket at a cursor, a clock, randomness, and whether the page is online and visible. */
export function makeLine({ liveUrl, room }) {
  return {
    room,
    openSocket: (cursor) => {
      const url = new URL(liveUrl, location.href);
      url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
      url.search = new URLSearchParams({ room, after: cursor, format: "html" });
      return new WebSocket(url);
    },
    clock,
    random: Math.random,
    browser: { isOnline: () => navigator.onLine, isVisible: () => document.visibilityState === "visible" },
  };
}

/** Whether the page is visible and has the focus: a window in the background has none. */
export function isLooking() {
  return document.visibilityState === "visible" && document.hasFocus();
}

export function makeId() {
  // `randomUUID` exists only on pages over TLS or from this machine.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A name for this tab that a reload keeps. */
export function nameTab() {
  const storage = findStorage("sessionStorage");
  try {
    const name = storage.getItem("chatroom:tab") ?? makeId();
    storage.setItem("chatroom:tab", name);
    return name;
  } catch {
    return makeId();
  }
}

/** Reading the property itself throws where storage is forbidden. */
export function findStorage(name) {
  try {
    return window[name];
  } catch {
    return undefined;
  }
}

/** Pass browser events to the parts of the room's page. */
export function listen({ connection, drafts, following, attention, writing }) {
  for (const kind of ["online", "offline"]) window.addEventListener(kind, () => connection.check());
  window.addEventListener("storage", (event) => drafts.notice(event));
  window.addEventListener("pagehide", () => {
    writing.leave();
    following.leave();
  });
  window.addEventListener("focus", () => attention.come());
  window.addEventListener("blur", () => following.leave());
  // Dictation sends no keys, and screen readers often only move the focus.
  for (const kind of ["keyup", "input", "focusin", "pointerdown", "pointermove", "wheel"]) {
    window.addEventListener(kind, () => attention.use(), { capture: true, passive: true });
  }
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") {
      attention.come();
      connection.check();
    } else {
      writing.save();
      following.leave();
    }
  });
}
