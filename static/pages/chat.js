/* Wires the room's page: what happens on the connection, in what is written and under the reader's hands meets here. */

import { Api } from "../state/live/api.js";
import { Connection } from "../state/live/connection.js";
import { browserOf, startServiceWorker } from "../views/outbound/browser_notifications.js";
import { Notifications } from "../state/outbound/notifications.js";
import { clock, findStorage, openSocket, readPage } from "../views/kit/page.js";
import { Quotes } from "../state/messages/quotes.js";
import { Reader } from "../views/messages/reader.js";
import { startShortcuts } from "../views/kit/shortcuts.js";
import { Sidebar } from "../views/rooms/sidebar.js";
import { Timeline } from "../state/messages/timeline.js";
import { localizeTimes } from "../state/kit/times.js";
import { Actions } from "../views/messages/actions.js";
import { EditorView } from "../views/messages/editor.js";
import { startJump } from "../views/messages/jump.js";
import { openPictures } from "../views/files/lightbox.js";
import { Marks } from "../views/messages/marks.js";
import { makeScrollable, MessageView } from "../views/messages/message.js";
import { addActions } from "../views/messages/message_actions.js";
import { addOrderActions } from "../views/messages/order_actions.js";
import { PeopleView } from "../views/rooms/people.js";
import { PinsView } from "../views/messages/pins.js";
import { RoomView } from "../views/rooms/room.js";
import { StateView } from "../views/kit/connection_state.js";
import { Toast } from "../views/kit/toast.js";
import { Writing } from "../views/messages/writing.js";

class Chat {
  #page;
  #api;
  #timeline;
  #quotes;
  #notifications;
  #people;
  #messageView;
  #roomView;
  #reader;
  #actions;
  #toast;
  #state;
  #connection;
  #sidebar;
  #writing;
  #editor;
  #pins;
  #wasLive = false;

  constructor(page, people) {
    const { data, user, csrfToken } = page;
    this.#page = page;
    this.#people = people;
    this.#api = new Api({ url: data.apiUrl, csrfToken, fetch: (...request) => fetch(...request) });
    this.#notifications = new Notifications({
      user,
      browser: browserOf(startServiceWorker()),
      storage: findStorage("localStorage"),
    });
    this.#timeline = new Timeline({ user });
    this.#quotes = new Quotes({ timeline: this.#timeline, api: this.#api, onFound: () => this.#renewQuotes() });
    this.#makeReader();
    this.#makeConnection();
    this.#makeWriting();
    this.#makeActions();
  }

  start() {
    const { root, data, find } = this.#page;
    startJump(find("jump"));
    startShortcuts({ find, place: find("keys"), actions: this.#actions });
    root.classList.add("is-live");
    this.#reader.start({
      cursor: Number(data.cursor),
      hasOlder: data.hasOlder === "true",
      hasNewer: data.hasNewer === "true",
      target: data.target ? Number(data.target) : null,
      readTo: Number(data.read),
    });
    this.#writing.start(JSON.parse(data.waiting));
    this.#connection.start();
    this.#listen();
  }

  #makeReader() {
    const { data, find, user, times, mayModerate } = this.#page;
    const timeline = this.#timeline;
    this.#messageView = new MessageView({
      template: find("message-template"),
      times,
      roomUrl: data.roomUrl,
      userId: user.id,
      quotes: this.#quotes,
    });
    this.#roomView = new RoomView({ find, mayModerate, slowSeconds: Number(find("composer").dataset.slowSeconds) });
    this.#reader = new Reader({
      find,
      api: this.#api,
      timeline,
      messageView: this.#messageView,
      times,
      onSeen: (sequence) => this.#sidebar.see(sequence),
      onGo: (sequence) => this.#showAddress(sequence),
    });
    this.#actions = new Actions({
      log: find("log"),
      timeline,
      me: { id: user.id, mayModerate },
      icons: data.icons,
      onLeave: () => this.#writing.focus(),
    });
    this.#toast = new Toast(find("composer-area"));
    this.#state = new StateView({ root: find("state"), loginUrl: data.loginUrl });
  }

  #makeConnection() {
    const { data, find, user } = this.#page;
    const api = this.#api;
    this.#connection = new Connection({
      room: data.room,
      api,
      openSocket: (cursor) => openSocket(data, cursor),
      clock,
      random: Math.random,
      browser: { isOnline: () => navigator.onLine, isVisible: () => document.visibilityState === "visible" },
      cursor: () => this.#timeline.cursor,
      onFrame: (frame, details) => this.#receive(frame, details),
      onState: (state) => this.#showState(state),
    });
    const onPosts = (of, posts) => this.#notifications.take(of, posts);
    this.#sidebar = new Sidebar({ find, data, user, api, connection: this.#connection, clock, onPosts });
  }

  #makeWriting() {
    const [api, connection, reader, messageView] = [this.#api, this.#connection, this.#reader, this.#messageView];
    this.#writing = new Writing({
      page: this.#page,
      api,
      connection,
      timeline: this.#timeline,
      reader,
      quotes: this.#quotes,
      messageView,
      onType: (text) => this.#sidebar.type(text),
      onUp: () => this.#editLast(),
      onProblem: (text) => this.#toast.say(text),
    });
    this.#editor = new EditorView({
      api,
      connection,
      maxLength: Number(this.#page.data.maxLength),
      onClose: (from) => this.#leaveEditor(from),
    });
    this.#pins = new PinsView({
      root: this.#page.find("pins"),
      linkTo: (message) => messageView.linkTo(message),
      onGo: (sequence) => reader.goTo(sequence),
    });
  }

  #makeActions() {
    const { root, find, data } = this.#page;
    const shared = { actions: this.#actions, connection: this.#connection, toast: this.#toast };
    const messageView = this.#messageView;
    addActions({
      ...shared,
      answer: ({ sequence }) => this.#writing.answer(sequence),
      editor: this.#editor,
      messageView,
      reader: this.#reader,
    });
    addOrderActions({ actions: this.#actions, messageView, room: data.room });
    new Marks({ ...shared, root, find, api: this.#api, storage: findStorage("localStorage") });
  }

  #receive(frame, { isMissed }) {
    this.#sidebar.receive(frame);
    if (frame.room && frame.room !== this.#page.data.room) return;
    if (frame.type === "presence") this.#people.apply(frame);
    if (frame.type === "room") this.#roomView.apply(frame);
    if (frame.type === "approval") this.#writing.readHeld();
    if (frame.type === "changes") this.#takeChanges(frame, isMissed);
  }

  #takeChanges(frame, isMissed) {
    const arrived = this.#timeline.applyChanges(frame);
    this.#quotes.take(frame.messages);
    this.#confirmOwn(frame.messages);
    this.#notifications.take(this.#page.room, arrived);
    this.#reader.take(arrived, { isMissed });
    this.#show();
    this.#pins.take(frame.messages);
    this.#renewQuotes();
    this.#actions.renew();
  }

  #confirmOwn(messages) {
    for (const { client_id, author, sent_at } of messages) {
      if (!client_id || author.id !== this.#page.user.id) continue;
      this.#writing.confirm(client_id);
      const wait = this.#roomView.waitAfter(sent_at);
      if (wait) this.#writing.countDown(wait);
    }
  }

  #showState(state) {
    const isLive = state.name === "live";
    this.#state.show(state);
    this.#sidebar.connected(state.name);
    if (isLive && this.#wasLive) this.#writing.readHeld();
    this.#wasLive ||= isLive;
    if (state.name === "closed") this.#roomView.close(state.message);
    this.#writing.show();
    if (this.#connection.canSend) {
      this.#writing.resume();
      this.#editor.resume();
    }
  }

  #show() {
    this.#reader.show(() => this.#writing.show());
  }

  #renewQuotes() {
    this.#reader.renewQuotes();
    this.#writing.renewAnswer();
  }

  #editLast() {
    const { user } = this.#page;
    const own = this.#reader.findElement(({ author, deleted_at, kind }) => author.id === user.id && !deleted_at && !kind);
    if (own) this.#actions.run("edit", own);
  }

  #leaveEditor(from) {
    this.#show();
    if (from.isConnected && from !== document.body) from.focus();
    else this.#writing.focus();
  }

  async #goTo(sequence) {
    if (!(await this.#reader.goTo(sequence))) this.#toast.say("This message cannot be shown now.");
  }

  #showAddress(sequence) {
    history.replaceState(null, "", sequence ? this.#messageView.linkTo({ sequence }) : this.#page.data.roomUrl);
  }

  #listen() {
    window.addEventListener("online", () => this.#connection.online());
    window.addEventListener("offline", () => this.#connection.offline());
    window.addEventListener("storage", (event) => this.#writing.notice(event));
    window.addEventListener("pagehide", () => {
      this.#writing.leave();
      this.#sidebar.leave();
    });
    this.#page.find("messages").addEventListener("click", (event) => this.#follow(event));
    document.addEventListener("visibilitychange", () => this.#look(document.visibilityState === "visible"));
  }

  /** A link to a message of this room leads there without loading the page again. */
  #follow(event) {
    const link = event.target.closest("[data-permalink], [data-quote]");
    if (!link?.href || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.#goTo(Number(link.pathname.split("/").at(-1)));
  }

  #look(isVisible) {
    if (isVisible) {
      this.#reader.look();
      this.#connection.check();
    } else {
      this.#writing.save();
      this.#sidebar.leave();
    }
  }
}

function start(root) {
  const page = readPage(root);
  const people = new PeopleView({ root: page.find("people"), template: page.find("person-template") });
  openPictures(page.find("log"), page.data.icons);
  if (page.isHistory) {
    localizeTimes(root, page.times);
    makeScrollable(root);
  } else new Chat(page, people).start();
}

const root = document.querySelector("[data-chat]");
if (root) start(root);
