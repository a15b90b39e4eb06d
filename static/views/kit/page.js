/* The page's data and elements, and the browser's functions that other modules need: clock, storage, ids, websocket. */

import { timesOfReader } from "../../state/kit/times.js";

export const clock = {
  now: () => Date.now(),
  setTimeout: (action, ms) => setTimeout(action, ms),
  clearTimeout: (timer) => clearTimeout(timer),
};

/** Read the data that the server wrote into the page; `find(name)` finds the element with the attribute `data-name`. */
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

/** Show the server's UTC times in the reader's time zone. */
export function localizeTimes(root, times) {
  for (const element of root.querySelectorAll("time[data-time]")) {
    const moment = element.dateTime;
    if (!moment) continue;
    element.title = times.full(moment);
    element.textContent = element.dataset.time === "clock" ? times.clock(moment) : times.moment(moment);
  }
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
