/* Connects the page to its room by the best available transport, and reports the connection's state. No DOM.

   It prefers a websocket, resumed by cursor. If websockets are blocked but HTTP works, it polls every few seconds and
   keeps trying the websocket. It may report a change twice, but never misses one. */

import { idsOf } from "./api.js";
import { HttpLine, UNKNOWN_CURSOR } from "./http_line.js";
import { LiveSocket } from "./live_socket.js";
import { Timers } from "../kit/timers.js";
import { Watch } from "./watch.js";

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 30_000;
const RESTART_RETRY_MS = 1500;
const FAILURES_BEFORE_POLLING = 2;
const SOCKET_RETRY_WHILE_POLLING_MS = 45_000;
const GRACE_MS = 2000;

const SESSION_ENDED = 4401;
const SHUT_OUT = 4403;
const SERVER_RESTARTS = 1012;

const NO_SOCKET = { isOpen: false, isCaughtUp: false, drop() {} };

export class Connection {
  #room;
  #openSocket;
  #clock;
  #random;
  #browser;
  #cursor;
  #onFrame;
  #onState;
  #onUnreached;
  #restate;
  #timers;
  #http;
  #watch;

  #socket = NO_SOCKET;
  #received = 0;
  #failures = 0; // in a row
  #socketFailures = 0; // in a row, while HTTP works
  #isStopped = false;
  #isChecking = false;
  #changes = 0; // a counter, to match requests and answers

  state = { name: "connecting" };

  /**
   * `openSocket(cursor)` opens a websocket; `browser` knows `isOnline` and `isVisible`; `clock` has `now` and timers;
   * `onUnreached(unreached)`: a stored post or edit has mentions that notify nobody.
   */
  constructor({ room, api, openSocket, clock, random, browser, cursor, onFrame, onState, onUnreached = () => {} }) {
    this.#room = room;
    this.#openSocket = openSocket;
    this.#clock = clock;
    this.#random = random;
    this.#browser = browser;
    this.#cursor = cursor;
    this.#onFrame = onFrame;
    this.#onState = onState;
    this.#onUnreached = onUnreached;
    this.#restate = api.restate;
    const { isVisible } = browser;
    const timers = new Timers(clock);
    this.#timers = timers;
    this.#http = new HttpLine({
      api,
      cursor,
      timers,
      isVisible,
      onChanges: (frame) => onFrame(frame, { isMissed: !this.#http.isPolling && !this.#socket.isCaughtUp }),
      onPoll: (error) => error?.status !== 429 && this.#say(error ? nameLoss(browser) : "polling"),
      onEnd: (name, details) => this.#stop(name, details),
    });
    const receivedAt = () => (this.#socket.isCaughtUp ? this.#socket.receivedAt : Infinity);
    this.#watch = new Watch({ clock, timers, isVisible, receivedAt, onDoubt: () => this.check() });
  }

  start() {
    this.#onState(this.state);
    this.#connect();
    this.#watch.start();
  }

  get canSend() {
    return !this.#isStopped && (this.#socket.isOpen || this.#http.isPolling);
  }

  /** Send a draft; returns `stored`, `held` or `refused`, or throws an ApiError if the outcome is unknown. */
  post(draft) {
    const { client_id, text, reply_to } = draft;
    const files = idsOf(draft.files);
    if (!this.#socket.isOpen) return heed(this.#http.request((api) => api.post(draft)), this.#onUnreached);
    const request = this.#socket.request({ type: "post", room: this.#room, client_id, text, reply_to, files });
    return heed(request, this.#onUnreached);
  }

  /** Change a message, `{type, id, ...}` as in the frame; returns the same as `post`. */
  change(frame) {
    this.#changes += 1;
    if (!this.#socket.isOpen) return heed(this.#http.request((api) => api.change(frame)), this.#onUnreached);
    const request = this.#socket.request({ ...frame, room: this.#room, client_id: `change-${this.#changes}` });
    return heed(request, this.#onUnreached);
  }

  /** Send a frame without waiting for an answer; returns whether a connection accepted it. */
  send(frame) {
    const isTaken = this.#socket.isCaughtUp && this.#socket.isOpen;
    if (isTaken) this.#socket.send(frame);
    return isTaken;
  }

  /** Check whether the connection is alive; if there is none, try again at once.

      Call this when the browser reports that the network is back or gone: it may be wrong about a server on the same machine. */
  async check() {
    if (this.#isStopped || this.#isChecking) return;
    const socket = this.#socket;
    if (!socket.isCaughtUp) {
      if (socket !== NO_SOCKET) return; // already being opened
      this.#failures = 0;
      this.#connect();
      return;
    }
    this.#isChecking = true;
    const askedAt = this.#clock.now();
    const cursor = this.#cursor();
    const { revision, error } = await this.#http.ask();
    this.#isChecking = false;
    if (socket !== this.#socket) return;
    if (error && error.status !== 429) socket.drop();
    if (revision > cursor) this.#timers.set("grace", GRACE_MS, () => socket.receivedAt < askedAt && socket.drop());
  }

  #connect() {
    this.#timers.stop("retry");
    this.#received = 0;
    const socket = new LiveSocket({
      socket: this.#openSocket(this.#cursor()),
      clock: this.#clock,
      onFrame: (frame, details) => this.#receive(frame, details),
      onEnd: (code, reason) => this.#lose(socket, code, reason),
      restate: this.#restate,
    });
    this.#socket = socket;
  }

  #receive(frame, details) {
    this.#onFrame(frame, details);
    if (frame.type === "changes" && details.isMissed) {
      this.#received += frame.messages.length;
      this.#say("catching_up", { missed: this.#received });
    }
    if (frame.type === "caught_up" && !this.#socket.isCaughtUp) this.#goLive(frame);
    if (frame.reason === UNKNOWN_CURSOR && frame.room === this.#room) this.#stop("stale");
    if (frame.type === "closed" && frame.room === this.#room) this.#stop("closed", { message: frame.message });
  }

  #goLive({ missed }) {
    this.#socket.caughtUp();
    this.#http.stop();
    this.#failures = 0;
    this.#socketFailures = 0;
    this.#say("live", { missed });
  }

  #lose(socket, code, reason) {
    this.#socket = NO_SOCKET;
    this.#timers.stop("grace");
    if (this.#isStopped) return;
    if (code === SESSION_ENDED) this.#stop("signed_out");
    else if (code === SHUT_OUT) this.#stop("closed", { message: reason });
    else if (code === SERVER_RESTARTS) this.#retryAfter(this.#random() * RESTART_RETRY_MS);
    else if (socket.isCaughtUp) this.#retry();
    else this.#findOutWhy();
  }

  /** A browser does not say why a websocket could not be opened; an HTTP request does. */
  async #findOutWhy() {
    const { error } = await this.#http.ask();
    if (this.#isStopped || this.#socket !== NO_SOCKET) return;
    if (error) {
      this.#socketFailures = 0;
      this.#http.stop();
      this.#retry(error.retryAfterMs);
      return;
    }
    this.#socketFailures += 1;
    if (!this.#http.isPolling && this.#socketFailures < FAILURES_BEFORE_POLLING) {
      this.#retry();
      return;
    }
    this.#http.poll();
    this.#timers.set("retry", SOCKET_RETRY_WHILE_POLLING_MS * (0.75 + this.#random() / 2), () => this.#connect());
  }

  #retry(retryAfterMs = 0) {
    const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures);
    this.#failures += 1;
    // Half of the delay is random, so that not all people of a room reconnect at the same time.
    this.#retryAfter(Math.max(retryAfterMs, longest * (0.5 + this.#random() / 2)));
  }

  #retryAfter(ms) {
    this.#say(nameLoss(this.#browser));
    this.#timers.set("retry", ms, () => this.#connect());
  }

  #stop(name, details) {
    this.#isStopped = true;
    this.#http.stop();
    this.#timers.stopAll();
    this.#socket.drop();
    this.#say(name, details);
  }

  #say(name, details = {}) {
    const isNews = name !== this.state.name || details.missed !== this.state.missed;
    this.state = { name, ...details };
    if (isNews) this.#onState(this.state);
  }
}

function nameLoss({ isOnline }) {
  return isOnline() ? "reconnecting" : "offline";
}

/** Returns the request, and passes on what its answer says: the message itself may arrive first, and its draft is then forgotten. */
function heed(request, onUnreached) {
  request.then(({ unreached }) => unreached && onUnreached(unreached), () => {});
  return request;
}
