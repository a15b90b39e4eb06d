/* Wires the room's page: what happens on the connection, in the outbox and under the reader's hands meets here. */

import { Api } from "./api.js";
import { Connection } from "./connection.js";
import { browserOf, startServiceWorker } from "./browser_notifications.js";
import { Held } from "./held.js";
import { Notifications } from "./notifications.js";
import { Outbox, MAX_WAITING } from "./outbox.js";
import { Quotes } from "./quotes.js";
import { Reader } from "./reader.js";
import { Sender } from "./sender.js";
import { startShortcuts } from "./shortcuts.js";
import { Sidebar } from "./sidebar.js";
import { Timeline } from "./timeline.js";
import { localizeTimes, timesOfReader } from "./times.js";
import { makeSend } from "./upload_request.js";
import { Actions } from "./views/actions.js";
import { AttachmentsView, uploadsFor } from "./views/attachments.js";
import { ComposerView, LATER } from "./views/composer.js";
import { HeldView } from "./views/held.js";
import { openPictures } from "./views/lightbox.js";
import { startJump } from "./views/jump.js";
import { Marks } from "./views/marks.js";
import { makeScrollable, MessageView } from "./views/message.js";
import { EditorView } from "./views/editor.js";
import { addActions } from "./views/message_actions.js";
import { addOrderActions } from "./views/order_actions.js";
import { PendingView } from "./views/pending.js";
import { PeopleView } from "./views/people.js";
import { PinsView } from "./views/pins.js";
import { ReplyBar } from "./views/reply.js";
import { RoomView } from "./views/room.js";
import { StateView } from "./views/state.js";
import { Toast } from "./views/toast.js";

const CLAIM_EVERY_MS = 5000;

const clock = {
  now: () => Date.now(),
  setTimeout: (action, ms) => setTimeout(action, ms),
  clearTimeout: (timer) => clearTimeout(timer),
};

function start(root) {
  const data = root.dataset;
  const find = (name) => document.querySelector(`[data-${name}]`);
  const user = { id: data.user, name: data.userName };
  const times = timesOfReader({ language: document.documentElement.lang, languages: navigator.languages });
  const people = new PeopleView({ root: find("people"), template: find("person-template") });

  openPictures(find("log"), data.icons);
  if (data.history === "true") {
    localizeTimes(root, times);
    makeScrollable(root);
    return;
  }

  const api = new Api({
    url: data.apiUrl,
    csrfToken: document.querySelector("meta[name=csrf-token]").content,
    fetch: (...request) => fetch(...request),
  });
  const outbox = new Outbox({
    storage: findStorage("localStorage"),
    userId: user.id,
    room: data.room,
    tab: nameTab(),
    now: clock.now,
    makeId,
  });
  const room = { slug: data.room, title: data.roomTitle, kind: data.roomKind, notify: data.notify };
  const notifications = new Notifications({
    user,
    browser: browserOf(startServiceWorker()),
    storage: findStorage("localStorage"),
  });
  const timeline = new Timeline({ user });
  const quotes = new Quotes({ timeline, api, onFound: renewQuotes });
  const messageView = new MessageView({ template: find("message-template"), times, roomUrl: data.roomUrl, userId: user.id, quotes });
  const roomView = new RoomView({
    find,
    mayModerate: data.mayModerate === "true",
    slowSeconds: Number(find("composer").dataset.slowSeconds),
  });
  const reader = new Reader({ find, api, timeline, messageView, times, onSeen: (sequence) => sidebar.see(sequence), onGo: showAddress });
  const actions = new Actions({
    log: find("log"),
    timeline,
    me: { id: user.id, mayModerate: data.mayModerate === "true" },
    icons: data.icons,
    onLeave: () => composer.focus(),
  });
  const toast = new Toast(find("composer-area"));
  const state = new StateView({ root: find("state"), loginUrl: data.loginUrl });

  const connection = new Connection({
    room: data.room,
    api,
    openSocket: (cursor) => openSocket(data, cursor),
    clock,
    random: Math.random,
    browser: { isOnline: () => navigator.onLine, isVisible: () => document.visibilityState === "visible" },
    cursor: () => timeline.cursor,
    onFrame: receive,
    onState: (now) => {
      state.show(now);
      sidebar.connected(now.name);
      if (now.name === "live" && wasLive) held.read();
      wasLive ||= now.name === "live";
      if (now.name === "closed") roomView.close(now.message);
      showPending();
      if (connection.canSend) {
        sender.resume();
        editor.resume();
      }
    },
  });
  const sidebar = new Sidebar({
    find,
    data,
    user,
    api,
    connection,
    clock,
    onPosts: (of, posts) => notifications.take(of, posts),
  });
  const sender = new Sender({
    outbox,
    connection,
    clock,
    onChange: showPending,
    onWait: (ms) => composer.countDown(ms),
    onStored: (draft, answer) => {
      const { text, reply_to, files } = draft;
      timeline.applyStored(answer, { text, reply_to, files, sent_at: new Date().toISOString() });
      reader.show(showPending);
    },
    onHeld: (draft, answer) => held.add(draft, answer, new Date().toISOString()),
  });
  const composer = new ComposerView({
    form: find("composer"),
    maxLength: Number(data.maxLength),
    hasMore: () => !attachments.isEmpty,
    onSend: send,
    onDraft: (text) => {
      outbox.unsent = text;
    },
    onUp: () => {
      const own = reader.findElement(({ author, deleted_at, kind }) => author.id === user.id && !deleted_at && !kind);
      if (own) actions.run("edit", own);
    },
  });
  const attachments = new AttachmentsView({
    form: find("composer"),
    zone: root,
    template: find("attachment-template"),
    announcer: find("announcer"),
    makeUploads: uploadsFor({
      send: makeSend({ url: data.uploadUrl, csrfToken: document.querySelector("meta[name=csrf-token]").content }),
      makeKey: makeId,
      maxBytes: Number(data.maxFileBytes),
      maxFiles: Number(data.maxFiles),
    }),
    onProblem: (text) => composer.say(text),
    onReady: () => composer.submit(),
    onStored: (files) => {
      outbox.unsentFiles = files;
    },
  });
  const pending = new PendingView({
    list: find("pending"),
    announcer: find("announcer"),
    messageView,
    user,
    actions: {
      retry: (client_id) => {
        outbox.retry(client_id);
        showPending();
        sender.kick();
      },
      edit: (client_id) => {
        const { text, reply_to, files = [] } = outbox.get(client_id);
        composer.insert(text);
        reply.start(reply_to);
        attachments.restore(files);
        outbox.remove(client_id);
        showPending();
      },
      discard: (client_id) => {
        outbox.remove(client_id);
        showPending();
        composer.focus();
      },
    },
  });

  const heldView = new HeldView({
    list: find("held-list"),
    announcer: find("announcer"),
    messageView,
    user,
    onWithdraw: async (id) => {
      const problem = await held.withdraw(id);
      if (problem) toast.say(problem);
    },
  });
  const held = new Held({ api, onChange: showPending });
  let wasLive = false;

  const editor = new EditorView({ api, connection, maxLength: Number(data.maxLength), onClose: leaveEditor });
  const pins = new PinsView({
    root: find("pins"),
    linkTo: (message) => messageView.linkTo(message),
    onGo: (sequence) => reader.goTo(sequence),
  });

  const reply = new ReplyBar({ form: find("composer"), quotes, onEnd: () => composer.focus() });
  const answer = (message) => {
    reply.start(message.sequence);
    composer.focus();
  };
  addActions({ actions, answer, connection, editor, messageView, reader, toast });
  addOrderActions({ actions, messageView, room: data.room });
  new Marks({ root, find, actions, api, connection, storage: findStorage("localStorage"), toast });

  function receive(frame, { isMissed }) {
    sidebar.receive(frame);
    if (frame.room && frame.room !== data.room) return;
    if (frame.type === "presence") people.apply(frame);
    if (frame.type === "room") roomView.apply(frame);
    if (frame.type === "approval") held.read();
    if (frame.type !== "changes") return;
    const arrived = timeline.applyChanges(frame);
    quotes.take(frame.messages);
    for (const { client_id, author, sent_at } of frame.messages) {
      if (!client_id || author.id !== user.id) continue;
      sender.confirm(client_id);
      held.confirm(client_id);
      const wait = roomView.waitAfter(sent_at);
      if (wait) composer.countDown(wait);
    }
    notifications.take(room, arrived);
    reader.take(arrived, { isMissed });
    reader.show(showPending);
    pins.take(frame.messages);
    renewQuotes();
    actions.renew();
  }

  function leaveEditor(from) {
    reader.show(showPending);
    if (from.isConnected && from !== document.body) from.focus();
    else composer.focus();
  }

  function renewQuotes() {
    reader.renewQuotes();
    reply.renew();
  }

  async function goTo(sequence) {
    if (!(await reader.goTo(sequence))) toast.say("This message cannot be shown now.");
  }

  function showAddress(sequence) {
    history.replaceState(null, "", sequence ? messageView.linkTo({ sequence }) : data.roomUrl);
  }

  function send(text) {
    if (outbox.isFull) return `${MAX_WAITING} messages are waiting to be stored. Wait until some of them are.`;
    if (!attachments.isReady()) return LATER;
    outbox.add(text, { reply_to: reply.take(), files: attachments.take() });
    sidebar.type("");
    reader.goToEnd();
    showPending();
    sender.kick();
    return "";
  }

  function showPending() {
    reader.keepPlace(() => {
      pending.render(outbox.drafts, { slow: sender.slow, state: connection.state });
      heldView.render(held.messages);
      reader.showEmpty(outbox.drafts.length === 0 && held.isEmpty);
    });
  }

  function claim() {
    if (outbox.claim()) {
      for (const { client_id } of outbox.drafts) if (timeline.hasClientId(client_id)) outbox.remove(client_id);
      showPending();
    }
    sender.kick();
    if (connection.state.name === "polling" && !held.isEmpty) held.read();
  }

  startJump(find("jump"));
  startShortcuts({ find, place: find("keys"), actions });
  root.classList.add("is-live");
  reader.start({
    cursor: Number(data.cursor),
    hasOlder: data.hasOlder === "true",
    hasNewer: data.hasNewer === "true",
    target: data.target ? Number(data.target) : null,
    readTo: Number(data.read),
  });
  held.reset(JSON.parse(data.waiting));
  composer.offer(outbox.unsent);
  attachments.restore(outbox.unsentFiles);
  claim();
  connection.start();
  setInterval(claim, CLAIM_EVERY_MS);

  find("composer").addEventListener("input", () => sidebar.type(composer.text));
  window.addEventListener("online", () => connection.online());
  window.addEventListener("offline", () => connection.offline());
  window.addEventListener("storage", ({ key, newValue }) => outbox.notice(key, newValue) && showPending());
  window.addEventListener("pagehide", () => {
    composer.save();
    outbox.release();
    sidebar.leave();
  });
  find("messages").addEventListener("click", (event) => {
    const link = event.target.closest("[data-permalink], [data-quote]");
    if (!link?.href || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    goTo(Number(link.pathname.split("/").at(-1)));
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") {
      reader.look();
      connection.check();
    } else {
      composer.save();
      sidebar.leave();
    }
  });
}

function openSocket({ liveUrl, room }, cursor) {
  const url = new URL(liveUrl, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.search = new URLSearchParams({ room, after: cursor, format: "html" });
  return new WebSocket(url);
}

function makeId() {
  // `randomUUID` exists only where the page came by TLS or from this machine.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A name for this tab that a reload keeps. */
function nameTab() {
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
function findStorage(name) {
  try {
    return window[name];
  } catch {
    return undefined;
  }
}

const root = document.querySelector("[data-chat]");
if (root) start(root);
