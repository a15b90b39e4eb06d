/* What the room's page came with, and what its browser provides: data, elements, times, a clock, storage, ids, a websocket. */

import { timesOfReader } from "../../state/kit/times.js";

export const clock = {
  now: () => Date.now(),
  setTimeout: (action, ms) => setTimeout(action, ms),
  clearTimeout: (timer) => clearTimeout(timer),
};

/** Read what the server wrote into the page; `find(name)` finds the element with the hook `data-name`. */
export function readPage(root) {
  const { dataset: data } = root;
  return {
    root,
    data,
    find: (name) => document.querySelector(`[data-${name}]`),
    csrfToken: document.querySelector("meta[name=csrf-token]").content,
    times: timesOfReader({ language: document.documentElement.lang, languages: navigator.languages }),
    user: { id: data.user, name: data.userName },
    room: { slug: data.room, title: data.roomTitle, kind: data.roomKind, notify: data.notify },
    mayModerate: data.mayModerate === "true",
    isHistory: data.history === "true",
  };
}

/** Rewrite the times that the server wrote in UTC. */
export function localizeTimes(root, times) {
  for (const element of root.querySelectorAll("time[data-time]")) {
    const moment = element.dateTime;
    if (!moment) continue;
    element.title = times.full(moment);
    element.textContent = element.dataset.time === "clock" ? times.clock(moment) : times.moment(moment);
  }
}

/** What a connection needs of the browser: the room's websocket after a cursor, a clock, randomness, and its own state. */
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

export function makeId() {
  // `randomUUID` exists only on pages that came over TLS or from this machine.
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

/** Pass the browser's events to the parts of the room's page. */
export function listen({ connection, drafts, following, reader, writing }) {
  for (const kind of ["online", "offline"]) window.addEventListener(kind, () => connection.check());
  window.addEventListener("storage", (event) => drafts.notice(event));
  window.addEventListener("pagehide", () => {
    writing.leave();
    following.leave();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") {
      reader.look();
      connection.check();
    } else {
      writing.save();
      following.leave();
    }
  });
}
