/* Keeps the page in touch with the room, by the best way there is, and says how it is. No DOM.

   A websocket first, resumed by cursor. Where websockets do not get through but HTTP does, it asks every few seconds and
   goes on trying. What it reports may overlap with what was reported before, and never leaves anything out. */

import { ApiError, idsOf } from "./api.js";
import { LiveSocket } from "./live_socket.js";
import { Timers } from "../kit/timers.js";

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 30_000;
const RESTART_RETRY_MS = 1500;
const FAILURES_BEFORE_POLLING = 2;
const POLL_MS = 3000;
const POLL_HIDDEN_MS = 15_000;
const SOCKET_RETRY_WHILE_POLLING_MS = 45_000;
const TICK_MS = 5000;
const SLEEP_MS = 15_000;
const SLEEP_HIDDEN_MS = 120_000; // browsers wake a hidden tab once a minute
const SILENCE_MS = 90_000;
const GRACE_MS = 2000;

const SESSION_ENDED = 4401;
const SHUT_OUT = 4403;
const SERVER_RESTARTS = 1012;
const UNKNOWN_CURSOR = "unknown_cursor"; // the room was set back, to an older copy of its database

export class Connection {
  #room;
  #api;
  #openSocket;
  #clock;
  #random;
  #browser;
  #cursor;
  #onFrame;
  #onState;
  #timers;

  #socket = null;
  #received = 0;
  #failures = 0; // in a row
  #socketFailures = 0; // in a row, while HTTP worked
  #isPolling = false;
  #isStopped = false;
  #isChecking = false;
  #changes = 0; // asked for, to tell their answers apart
  #tickedAt = 0;
  #askedAt = 0; // when silence last made us ask

  state = { name: "connecting" };

  /** `openSocket(cursor)` opens a websocket; `browser` knows `isOnline` and `isVisible`; `clock` has `now` and timers. */
  constructor({ room, api, openSocket, clock, random, browser, cursor, onFrame, onState }) {
    this.#room = room;
    this.#api = api;
    this.#openSocket = openSocket;
    this.#clock = clock;
    this.#random = random;
    this.#browser = browser;
    this.#cursor = cursor;
    this.#onFrame = onFrame;
    this.#onState = onState;
    this.#timers = new Timers(clock);
  }

  start() {
    this.#onState(this.state);
    this.#connect();
    this.#tickedAt = this.#clock.now();
    this.#timers.set("tick", TICK_MS, () => this.#tick());
  }

  get canSend() {
    return !this.#isStopped && (this.#isOpen || this.#isPolling);
  }

  /** Send a draft; answers `stored`, `held` or `refused`, or throws an ApiError when the outcome is unknown. */
  post(draft) {
    const { client_id, text, reply_to } = draft;
    const files = idsOf(draft.files);
    if (this.#isOpen) return this.#socket.request({ type: "post", room: this.#room, client_id, text, reply_to, files });
    return this.#overHttp(() => this.#api.post(draft));
  }

  /** Change a message, `{type, id, ...}` as the frame says; answers as `post` does. */
  change(frame) {
    this.#changes += 1;
    if (this.#isOpen) return this.#socket.request({ ...frame, room: this.#room, client_id: `change-${this.#changes}` });
    return this.#overHttp(() => this.#api.change(frame));
  }

  /** Send a frame that nothing depends on; answers whether there is a connection that takes it. */
  send(frame) {
    if (this.#isLive && this.#isOpen) this.#socket.send(frame);
    return this.#isLive && this.#isOpen;
  }

  /** The browser says that the network is back. */
  online() {
    this.check();
  }

  /** The browser says that the network is gone. It may be wrong: a room on this very machine is still there. */
  offline() {
    this.check();
  }

  /** Find out whether a connection that looks well is so; where there is none, try again at once. */
  async check() {
    if (this.#isStopped || this.#isChecking) return;
    if (!this.#isLive) {
      this.#retryNow();
      return;
    }
    this.#isChecking = true;
    const socket = this.#socket;
    const askedAt = this.#clock.now();
    const cursor = this.#cursor();
    const { revision, error } = await this.#ask();
    this.#isChecking = false;
    if (socket !== this.#socket) return;
    if (error && error.status !== 429) socket.drop();
    if (revision > cursor) this.#timers.set("grace", GRACE_MS, () => socket.heardAt < askedAt && socket.drop());
  }

  get #isOpen() {
    return this.#socket?.isOpen ?? false;
  }

  get #isLive() {
    return this.#socket?.isCaughtUp ?? false;
  }

  #connect() {
    this.#timers.stop("retry");
    this.#received = 0;
    const socket = new LiveSocket({
      socket: this.#openSocket(this.#cursor()),
      clock: this.#clock,
      onFrame: (frame, details) => this.#hear(frame, details),
      onEnd: (code, reason) => this.#lose(socket, code, reason),
    });
    this.#socket = socket;
  }

  #hear(frame, details) {
    this.#onFrame(frame, details);
    if (frame.type === "changes" && details.isMissed) {
      this.#received += frame.messages.length;
      this.#say("catching_up", { missed: this.#received });
    }
    if (frame.type === "caught_up" && !this.#isLive) this.#goLive(frame);
    if (frame.reason === UNKNOWN_CURSOR && frame.room === this.#room) this.#stop("stale");
    if (frame.type === "closed" && frame.room === this.#room) this.#stop("closed", { message: frame.message });
  }

  #goLive({ missed }) {
    this.#socket.caughtUp();
    this.#timers.stop("poll");
    this.#isPolling = false;
    this.#failures = 0;
    this.#socketFailures = 0;
    this.#say("live", { missed });
  }

  #lose(socket, code, reason) {
    this.#socket = null;
    this.#timers.stop("grace");
    if (this.#isStopped) return;
    if (code === SESSION_ENDED) this.#stop("signed_out");
    else if (code === SHUT_OUT) this.#stop("closed", { message: reason });
    else if (code === SERVER_RESTARTS) this.#retryAfter(this.#random() * RESTART_RETRY_MS);
    else if (socket.isCaughtUp) this.#retry();
    else this.#findOutWhy();
  }

  /** A browser does not say why a websocket could not be opened; HTTP does. */
  async #findOutWhy() {
    const { error } = await this.#ask();
    if (this.#isStopped || this.#socket) return;
    if (error) {
      this.#socketFailures = 0;
      this.#isPolling = false;
      this.#timers.stop("poll");
      this.#retry(error.retryAfterMs);
      return;
    }
    this.#socketFailures += 1;
    if (this.#isPolling || this.#socketFailures >= FAILURES_BEFORE_POLLING) this.#poll();
    else this.#retry();
  }

  #poll() {
    if (!this.#isPolling) {
      this.#isPolling = true;
      this.#say("polling");
      this.#pollLater();
    }
    this.#timers.set("retry", SOCKET_RETRY_WHILE_POLLING_MS * (0.75 + this.#random() / 2), () => this.#connect());
  }

  #pollLater() {
    this.#timers.set("poll", this.#browser.isVisible() ? POLL_MS : POLL_HIDDEN_MS, async () => {
      const { error } = await this.#ask();
      if (!this.#isPolling) return;
      if (!error) this.#say("polling");
      else if (error.status !== 429) this.#say(this.#lostName);
      this.#pollLater();
    });
  }

  /** Read over HTTP what changed since the cursor; answers with the room's revision, or with the error. */
  async #ask() {
    try {
      for (;;) {
        const { revision, messages, more } = await this.#api.readChanges(this.#cursor());
        if (messages.length) this.#onFrame({ type: "changes", revision, messages }, { isMissed: !this.#isPolling && !this.#isLive });
        if (!more) return { revision };
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 401) this.#stop("signed_out");
      else if (error.reason === UNKNOWN_CURSOR) this.#stop("stale");
      else if (error.status === 403 || error.status === 404) this.#stop("closed", { message: error.message });
      return { error };
    }
  }

  get #lostName() {
    return this.#browser.isOnline() ? "reconnecting" : "offline";
  }

  #retry(retryAfterMs = 0) {
    const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures);
    this.#failures += 1;
    // Half of it is chance: a room full of people must not come back in step.
    this.#retryAfter(Math.max(retryAfterMs, longest * (0.5 + this.#random() / 2)));
  }

  #retryAfter(ms) {
    this.#say(this.#lostName);
    this.#timers.set("retry", ms, () => this.#connect());
  }

  #retryNow() {
    if (this.#socket) return; // being opened right now
    this.#failures = 0;
    this.#connect();
  }

  #stop(name, details) {
    this.#isStopped = true;
    this.#isPolling = false;
    this.#timers.stopAll();
    this.#socket?.drop();
    this.#say(name, details);
  }

  async #overHttp(ask) {
    try {
      const answer = await ask();
      return { ...answer, type: answer.held ? "held" : "stored" };
    } catch (error) {
      if (error.status !== 401) throw error;
      this.#stop("signed_out");
      throw new ApiError({ status: 401, reason: "signed_out", message: error.message });
    }
  }

  #tick() {
    const now = this.#clock.now();
    const sleptMs = now - this.#tickedAt - TICK_MS;
    this.#tickedAt = now;
    this.#timers.set("tick", TICK_MS, () => this.#tick());
    const isVisible = this.#browser.isVisible();
    const wasAsleep = sleptMs > (isVisible ? SLEEP_MS : SLEEP_HIDDEN_MS);
    const isSilent = this.#isLive && isVisible && now - Math.max(this.#socket.heardAt, this.#askedAt) > SILENCE_MS;
    if (!wasAsleep && !isSilent) return;
    this.#askedAt = now;
    this.check();
  }

  #say(name, details = {}) {
    const isNews = name !== this.state.name || details.missed !== this.state.missed;
    this.state = { name, ...details };
    if (isNews) this.#onState(this.state);
  }
}
