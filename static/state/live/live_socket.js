/* One websocket from its opening to its end: receives frames, and sends posts and changes, each with its answer. No DOM.

   It ends once, from either side. Every request without an answer then fails. */

import { ApiError } from "./api.js";

const OPEN_TIMEOUT_MS = 6000;
const ANSWER_TIMEOUT_MS = 10_000;
const ANSWERS = new Set(["stored", "held", "refused"]);
/** Frames whose `message` is a sentence for the reader. */
const SENTENCES = new Set(["refused", "closed", "mute"]);
const OPEN = 1;
const NO_CODE = 1006;

export class LiveSocket {
  #socket;
  #clock;
  #onFrame;
  #restate;
  #onEnd;
  #openTimer;
  #requests = new Map();
  #hasEnded = false;

  isCaughtUp = false;
  receivedAt;

  constructor({ socket, clock, onFrame, onEnd, restate }) {
    this.#socket = socket;
    this.#clock = clock;
    this.#onFrame = onFrame;
    this.#restate = restate;
    this.#onEnd = onEnd;
    this.receivedAt = clock.now();
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code, reason }) => this.#end(code, reason);
    this.#awaitMore();
  }

  get isOpen() {
    return !this.#hasEnded && this.#socket.readyState === OPEN;
  }

  /** Send a post or a change; returns the frame `stored`, `held` or `refused`, or throws if none arrives. */
  request(frame) {
    const { client_id } = frame;
    const sentAt = this.#clock.now();
    return new Promise((resolve, reject) => {
      const timer = this.#clock.setTimeout(() => {
        this.#requests.delete(client_id);
        reject(unanswered());
        if (this.receivedAt <= sentAt) this.drop(); // dead: no frame arrived
      }, ANSWER_TIMEOUT_MS);
      this.#requests.set(client_id, { resolve, reject, timer });
      this.send(frame);
    });
  }

  send(frame) {
    this.#socket.send(JSON.stringify(frame));
  }

  /** Close the websocket, as if the connection were lost. */
  drop() {
    this.#end(NO_CODE);
    this.#socket.close();
  }

  #receive(data) {
    if (this.#hasEnded) return;
    const frame = JSON.parse(data);
    if (SENTENCES.has(frame.type)) frame.message = this.#restate(frame.message);
    this.receivedAt = this.#clock.now();
    if (ANSWERS.has(frame.type)) this.#answer(frame);
    if (!this.isCaughtUp) this.#awaitMore();
    this.#onFrame(frame, { isMissed: !this.isCaughtUp });
  }

  /** The frame after the last missed change. */
  caughtUp() {
    this.isCaughtUp = true;
    this.#clock.clearTimeout(this.#openTimer);
  }

  /** A proxy may drop a websocket without closing it. */
  #awaitMore() {
    this.#clock.clearTimeout(this.#openTimer);
    this.#openTimer = this.#clock.setTimeout(() => this.drop(), OPEN_TIMEOUT_MS);
  }

  #answer(frame) {
    const request = this.#requests.get(frame.client_id);
    if (!request) return;
    this.#requests.delete(frame.client_id);
    this.#clock.clearTimeout(request.timer);
    request.resolve({ ...frame, retryAfterMs: frame.retry_after === undefined ? undefined : frame.retry_after * 1000 });
  }

  #end(code, reason) {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#clock.clearTimeout(this.#openTimer);
    for (const { reject, timer } of this.#requests.values()) {
      this.#clock.clearTimeout(timer);
      reject(unanswered());
    }
    this.#requests.clear();
    this.#onEnd(code, reason);
  }
}

function unanswered() {
  return new ApiError({ status: 0, reason: "unreachable", message: "The server did not answer." });
}
