/* What the person writes, on its way into the room: the composer with its files and answer, the drafts that are not yet
   stored, and what waits for approval. */

import { Held } from "../../state/messages/held.js";
import { MAX_WAITING, Outbox } from "../../state/messages/outbox.js";
import { clock, findStorage, makeId, nameTab } from "../kit/page.js";
import { Sender } from "../../state/messages/sender.js";
import { makeSend } from "../../state/files/upload_request.js";
import { AttachmentsView, uploadsFor } from "../files/attachments.js";
import { ComposerView, LATER } from "./composer.js";
import { HeldView } from "./held.js";
import { PendingView } from "./pending.js";
import { ReplyBar } from "./reply.js";

const CLAIM_EVERY_MS = 5000;

export class Writing {
  #page;
  #connection;
  #timeline;
  #reader;
  #onType;
  #outbox;
  #sender;
  #held;
  #composer;
  #attachments;
  #reply;
  #pending;
  #heldView;

  /** `onType(text)`: what stands in the composer changed; `onUp()`: the arrow up, while nothing does; `onProblem(text)` tells. */
  constructor({ page, api, connection, timeline, reader, quotes, messageView, onType, onUp, onProblem }) {
    const { data, find, user } = page;
    this.#page = page;
    this.#connection = connection;
    this.#timeline = timeline;
    this.#reader = reader;
    this.#onType = onType;
    const storage = findStorage("localStorage");
    const { room, formerRoom } = data;
    this.#outbox = new Outbox({ storage, userId: user.id, room, formerRoom, tab: nameTab(), now: clock.now, makeId });
    this.#sender = this.#makeSender();
    this.#composer = this.#makeComposer(onUp);
    this.#attachments = this.#makeAttachments();
    const shown = { announcer: find("announcer"), messageView, user };
    this.#pending = new PendingView({ ...shown, list: find("pending"), actions: this.#actions });
    this.#heldView = new HeldView({ ...shown, list: find("held-list"), onWithdraw: (id) => this.#withdraw(id, onProblem) });
    this.#held = new Held({ api, onChange: () => this.show() });
    this.#reply = new ReplyBar({ form: find("composer"), quotes, onEnd: () => this.focus() });
    find("composer").addEventListener("input", () => onType(this.#composer.text));
  }

  /** Go on from what this browser kept, and from `held`, what the server says is waiting for approval. */
  start(held) {
    this.#held.reset(held);
    this.#composer.offer(this.#outbox.unsent);
    this.#attachments.restore(this.#outbox.unsentFiles);
    this.#claim();
    setInterval(() => this.#claim(), CLAIM_EVERY_MS);
  }

  /** Bring what stands below the messages in step with the drafts, without moving what is being read. */
  show() {
    const { drafts } = this.#outbox;
    this.#reader.keepPlace(() => {
      this.#pending.render(drafts, { slow: this.#sender.slow, state: this.#connection.state });
      this.#heldView.render(this.#held.messages);
      this.#reader.showEmpty(drafts.length === 0 && this.#held.isEmpty);
    });
  }

  focus() {
    this.#composer.focus();
  }

  /** Let the next message answer the one with this sequence. */
  answer(sequence) {
    this.#reply.start(sequence);
    this.focus();
  }

  /** Show what is answered as it is now. */
  renewAnswer() {
    this.#reply.renew();
  }

  /** A message of one's own is in the room: it is neither on its way any more, nor waiting. */
  confirm(client_id) {
    this.#sender.confirm(client_id);
    this.#held.confirm(client_id);
  }

  /** Say how long it takes until the next message goes. */
  countDown(ms) {
    this.#composer.countDown(ms);
  }

  /** The room can be reached again. */
  resume() {
    this.#sender.resume();
  }

  /** Ask what is waiting for approval now. */
  readHeld() {
    this.#held.read();
  }

  /** Another tab changed the storage. */
  notice({ key, newValue }) {
    if (this.#outbox.notice(key, newValue)) this.show();
  }

  /** Keep what is typed, now. */
  save() {
    this.#composer.save();
  }

  /** The page is left: what is typed is kept, and another tab may have the drafts. */
  leave() {
    this.save();
    this.#outbox.release();
  }

  #makeSender() {
    return new Sender({
      outbox: this.#outbox,
      connection: this.#connection,
      clock,
      onChange: () => this.show(),
      onWait: (ms) => this.countDown(ms),
      onStored: ({ text, reply_to, files }, answer) => {
        this.#timeline.applyStored(answer, { text, reply_to, files, sent_at: new Date().toISOString() });
        this.#reader.show(() => this.show());
      },
      onHeld: (draft, answer) => this.#held.add(draft, answer, new Date().toISOString()),
    });
  }

  #makeComposer(onUp) {
    return new ComposerView({
      form: this.#page.find("composer"),
      maxLength: Number(this.#page.data.maxLength),
      hasMore: () => !this.#attachments.isEmpty,
      onSend: (text) => this.#send(text),
      onDraft: (text) => {
        this.#outbox.unsent = text;
      },
      onUp,
    });
  }

  #makeAttachments() {
    const { root, data, find, csrfToken } = this.#page;
    return new AttachmentsView({
      form: find("composer"),
      zone: root,
      template: find("attachment-template"),
      announcer: find("announcer"),
      makeUploads: uploadsFor({
        send: makeSend({ url: data.uploadUrl, csrfToken }),
        makeKey: makeId,
        maxBytes: Number(data.maxFileBytes),
        maxFiles: Number(data.maxFiles),
      }),
      onProblem: (text) => this.#composer.say(text),
      onReady: () => this.#composer.submit(),
      onStored: (files) => {
        this.#outbox.unsentFiles = files;
      },
    });
  }

  /** What the buttons of a failed draft do. */
  get #actions() {
    return {
      retry: (client_id) => {
        this.#outbox.retry(client_id);
        this.show();
        this.#sender.kick();
      },
      edit: (client_id) => {
        const { text, reply_to, files = [] } = this.#outbox.get(client_id);
        this.#composer.insert(text);
        this.#reply.start(reply_to);
        this.#attachments.restore(files);
        this.#outbox.remove(client_id);
        this.show();
      },
      discard: (client_id) => {
        this.#outbox.remove(client_id);
        this.show();
        this.focus();
      },
    };
  }

  #send(text) {
    if (this.#outbox.isFull) return `${MAX_WAITING} messages are waiting to be stored. Wait until some of them are.`;
    if (!this.#attachments.isReady()) return LATER;
    this.#outbox.add(text, { reply_to: this.#reply.take(), files: this.#attachments.take() });
    this.#onType("");
    this.#reader.goToEnd();
    this.show();
    this.#sender.kick();
    return "";
  }

  async #withdraw(id, onProblem) {
    const problem = await this.#held.withdraw(id);
    if (problem) onProblem(problem);
  }

  /** Keep the drafts of this tab, take over those of tabs that are gone, and send. */
  #claim() {
    if (this.#outbox.claim()) {
      for (const { client_id } of this.#outbox.drafts) if (this.#timeline.hasClientId(client_id)) this.#outbox.remove(client_id);
      this.show();
    }
    this.#sender.kick();
    if (this.#connection.state.name === "polling" && !this.#held.isEmpty) this.readHeld();
  }
}
