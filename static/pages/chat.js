/* The entry module of the room's page: creates its parts and connects them. */

import { Api } from "../state/live/api.js";
import { Connection } from "../state/live/connection.js";
import { Attention } from "../state/messages/attention.js";
import { Quotes } from "../state/messages/quotes.js";
import { Timeline } from "../state/messages/timeline.js";
import { Notifications } from "../state/outbound/notifications.js";
import { Away } from "../state/people/away.js";
import { PeopleApi } from "../state/people/people_api.js";
import { findNamed } from "../state/rooms/choices.js";
import { OpenRoom } from "../state/rooms/open_room.js";
import { replaceBrokenPlayers } from "../views/files/files.js";
import { openPictures } from "../views/files/lightbox.js";
import { offerCode } from "../views/kit/code.js";
import { StateView } from "../views/kit/connection_state.js";
import { followKeyboard } from "../views/kit/keyboard.js";
import { protectCompositions, startPopups } from "../views/kit/keys.js";
import { clock, findStorage, isLooking, listen, localizeTimes, makeLine, onNewDay, readPage, reportTimeZone, turn } from "../views/kit/page.js";
import { startShortcuts } from "../views/kit/shortcuts.js";
import { Toast } from "../views/kit/toast.js";
import { Actions } from "../views/messages/actions.js";
import { EditorView } from "../views/messages/editor.js";
import { startJump } from "../views/messages/jump.js";
import { LaterView } from "../views/outbound/later.js";
import { Marks } from "../views/messages/marks.js";
import { makeScrollable, MessageView } from "../views/messages/message.js";
import { isWrittenBy, makeMessageActions } from "../views/messages/message_actions.js";
import { PinsView } from "../views/messages/pins.js";
import { Reader } from "../views/messages/reader.js";
import { UnreachedView } from "../views/messages/unreached.js";
import { Writing } from "../views/messages/writing.js";
import { BellView } from "../views/outbound/bell.js";
import { browserOf, startServiceWorker } from "../views/outbound/browser_notifications.js";
import { makePrompt } from "../views/outbound/prompt.js";
import { CardView } from "../views/people/card.js";
import { StatusDialog } from "../views/people/status_dialog.js";
import { PeopleView } from "../views/rooms/people.js";
import { RoomView } from "../views/rooms/room.js";
import { Sidebar } from "../views/rooms/sidebar.js";

protectCompositions(document);
followKeyboard();
startPopups();
const root = document.querySelector("[data-chat]");
if (root) start(readPage(root));

function start(page) {
  const isNewZone = reportTimeZone();
  const people = new PeopleView(page);
  openPictures(page.find("log"), page.data.icons);
  replaceBrokenPlayers(page.find("log"));
  if (page.isHistory) {
    if (isNewZone) location.reload(); // the server arranged the messages by the days of another zone
    localizeTimes(page.root, page.times);
    makeScrollable(page.root);
  } else open(page, people);
}

/** The browser takes its turns in between: it shows what there is, and reacts to the user. */
async function open(page, people) {
  const { find, user } = page;
  const asking = { csrfToken: page.csrfToken, fetch: (...request) => fetch(...request), restate: (text) => page.times.restate(text) };
  const api = new Api({ url: page.data.apiUrl, ...asking });
  const timeline = new Timeline({ user });
  const toast = new Toast(find("composer-line"));
  const { notifications, takeList } = makeNotifications({ page, people, api, toast });
  const quotes = new Quotes({ timeline, api, onFound: () => room.renewQuotes() });
  const connection = new Connection({
    ...makeLine(page.data),
    api,
    cursor: () => timeline.cursor,
    onFrame: (frame, details) => [room, later].forEach((each) => each.receive(frame, details)),
    onState: (state) => [room, later].forEach((each) => each.connected(state)),
    onUnreached: (unreached) => views.unreached.show(unreached),
  });
  const peopleApi = new PeopleApi({ room: page.room.slug, ...asking });
  const status = new StatusDialog({ page, api: peopleApi, toast });
  const card = new CardView({ page, api: peopleApi, onStatus: () => status.open() });
  const later = new LaterView({ page, asking, toast });
  const shared = { page, api, timeline, connection, quotes, toast, later, onPerson: (author, element) => card.open(author, element) };
  const sidebar = new Sidebar({ ...shared, onPosts: (of, posts) => notifications.take(of, posts), onList: takeList });
  const { following } = sidebar;
  const away = new Away({
    api: peopleApi,
    clock,
    isVisible: () => document.visibilityState === "visible",
    friends: () => sidebar.friends,
    onChange: () => {
      people.showAway(away);
      sidebar.showHere((id) => away.isHere(id));
    },
  });
  const views = makeViews(shared, { following, show: () => room.show() });
  const cases = casesOf({ api: peopleApi, clock });
  const { drafts } = views.writing;
  const room = new OpenRoom({ ...shared, drafts, following, notifications, views: { ...views, people, cases } });
  offerCode({ log: find("log"), icons: page.data.icons, toast });
  startJump(find("jump"));
  startShortcuts({ find, place: find("keys"), actions: views.actions });
  page.root.classList.add("is-live");
  await turn();
  views.reader.start();
  await turn();
  views.writing.start();
  connection.start();
  away.read();
  onNewDay(page.times, () => room.show());
  listen({ connection, drafts, following, attention: views.attention, writing: views.writing });
}

/** What waits for a moderator. The module is loaded when a case comes or goes; after a gap, only for moderators. */
function casesOf(parts) {
  let loaded;
  const renew = async () => {
    loaded ??= import("../views/people/cases.js").then(({ makeCases }) => makeCases(parts));
    await (await loaded).renew();
  };
  return { renew, catchUp: () => document.querySelector("[data-cases]") && renew() };
}

/** The notifications, the bell and the note that asks for them. `takeList(rooms)`: the list of rooms was read. */
function makeNotifications({ page, people, api, toast }) {
  const prompt = makePrompt({ page, toast });
  const bell = new BellView({ page, api, toast });
  const notifications = new Notifications({
    user: page.user,
    browser: browserOf(startServiceWorker()),
    storage: findStorage("localStorage"),
    isQuiet: () => people.isQuiet(page.user.id),
    onConcern: () => prompt.concern(),
  });
  const takeList = (rooms) => {
    notifications.tidy(rooms);
    if (rooms.urgent) prompt.concern();
    bell.show(rooms.get(page.room.slug));
  };
  return { notifications, takeList };
}

function makeViews(shared, { following, show }) {
  const { page, timeline } = shared;
  const messageView = new MessageView(shared);
  const attention = new Attention({ browser: { isLooking }, clock, onReturn: () => reader.look() });
  const reader = new Reader({ ...shared, messageView, attention, following });
  const writing = new Writing({
    ...shared,
    reader,
    messageView,
    onType: (text) => following.type(text),
    onUp: () => actions.run("edit", reader.findElement((message) => isWrittenBy(message, page.user))),
  });
  const editor = new EditorView({ ...shared, onShow: show, onLeave: () => writing.focus() });
  const ofMessages = { ...shared, following, editor, messageView, reader, onAnswer: ({ sequence }) => writing.answer(sequence) };
  const actions = new Actions({
    page,
    timeline,
    actions: [...makeMessageActions(ofMessages), ...new Marks({ ...shared, findRooms: (text) => findNamed(text, following.rooms.list(false)) }).actions, ...shared.later.actions],
    onLeave: () => writing.focus(),
  });
  const unreached = new UnreachedView({ ...shared, onLeave: () => writing.focus() });
  const pins = new PinsView({ page, linkTo: (message) => messageView.linkTo(message), onGo: (sequence) => reader.goTo(sequence) });
  return { attention, reader, writing, unreached, editor, actions, pins, room: new RoomView(page), state: new StateView(page) };
}
