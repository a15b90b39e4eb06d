/* The composer with its files and its reply, and the person's messages that are not in the room yet. */

import { Drafts } from "../../state/messages/drafts.js";
import { Outbox, takeOver, Unsent } from "../../state/messages/outbox.js";
import { AttachmentsView } from "../files/attachments.js";
import { clock, findStorage, makeId, nameTab } from "../kit/page.js";
import { ComposerView, LATER } from "./composer.js";
import { showText } from "./message.js";
import { acceptPastes } from "./pasting.js";
import { ReplyBar } from "./reply.js";
import { HeldView, PendingView } from "./waiting.js";

export class Writing {
  #page;
  #timeline;
  #reader;
  #onType;
  #empty;
  #unsent;
  #composer;
  #attachments;
  #reply;
  #pending;
  #heldView;

  /** The person's messages that are not in the room yet. */
  drafts;

  /** `onType(text)`: the text of the composer changed; `onUp()`: arrow up in an empty composer. */
  constructor({ page, api, connection, timeline, reader, quotes, messageView, toast, onType, onUp }) {
    const { data, find } = page;
    this.#page = page;
    this.#timeline = timeline;
    this.#reader = reader;
    this.#onType = onType;
    this.#empty = find("empty");
    const kept = { storage: findStorage("localStorage"), userId: data.user, room: data.room };
    if (data.formerRoom) takeOver({ ...kept, formerRoom: data.formerRoom });
    this.#unsent = new Unsent(kept);
    this.drafts = new Drafts({
      outbox: new Outbox({ ...kept, tab: nameTab(), now: clock.now, makeId }),
      api,
      connection,
      timeline,
      clock,
      onChange: () => this.show(),
      onStored: () => reader.show(() => this.show()),
      onWait: (ms) => this.countDown(ms),
    });
    this.#composer = this.#makeComposer(onUp, { icons: data.icons, read: (text) => api.preview(text), show: (panel, html) => showText(panel, html, data.user) });
    this.#attachments = this.#makeAttachments();
    this.#acceptPastes(toast);
    this.#pending = new PendingView({ page, messageView, actions: this.#actions });
    this.#heldView = new HeldView({ page, messageView, onWithdraw: (id) => this.#withdraw(id, toast) });
    this.#reply = new ReplyBar({ form: find("composer"), quotes, onEnd: () => this.focus() });
    find("composer").addEventListener("input", () => onType(this.#composer.text));
  }

  /** Start with the drafts in this browser's storage and the held messages that the server sent. */
  start() {
    this.drafts.start(JSON.parse(this.#page.data.waiting));
    this.#composer.offer(this.#unsent.text);
    this.#attachments.restore(this.#unsent.files);
  }

  /** Show the current drafts, without moving the text that the reader is reading. */
  show() {
    const { waiting, held } = this.drafts;
    this.#reader.keepPlace(() => {
      this.#pending.render(waiting, (draft) => this.drafts.explain(draft));
      this.#heldView.render(held.messages);
      if (this.#empty) this.#empty.hidden = waiting.length > 0 || !held.isEmpty || this.#timeline.messages.length > 0;
    });
  }

  focus() {
    this.#composer.focus();
  }

  /** The next message replies to the message with this sequence. */
  answer(sequence) {
    this.#reply.start(sequence);
    this.focus();
  }

  /** Show the current text of the quoted message. */
  renewAnswer() {
    this.#reply.renew();
  }

  /** Show the time until the next message can be sent. */
  countDown(ms) {
    this.#composer.countDown(ms);
  }

  /** Store the typed text now. */
  save() {
    this.#composer.save();
  }

  /** The page is closed: store the typed text, and let another tab take over the drafts. */
  leave() {
    this.save();
    this.drafts.leave();
  }

  #makeComposer(onUp, tools) {
    return new ComposerView({
      form: this.#page.find("composer"),
      maxLength: Number(this.#page.data.maxLength),
      hasMore: () => !this.#attachments.isEmpty,
      onSend: (text) => this.#send(text),
      onDraft: (text) => {
        this.#unsent.text = text;
      },
      onUp,
      tools,
    });
  }

  #makeAttachments() {
    return new AttachmentsView({
      page: this.#page,
      onProblem: (text) => this.#composer.say(text),
      onReady: () => this.#composer.submit(),
      onStored: (files) => {
        this.#unsent.files = files;
      },
    });
  }

  #acceptPastes(toast) {
    acceptPastes(this.#page.find("text"), {
      maxLength: Number(this.#page.data.maxLength),
      onFiles: (pasted) => this.#attachments.add(pasted),
      onLong: (text) => {
        this.#attachments.add({ files: [new File([text], "pasted-text.txt", { type: "text/plain" })] });
        toast.say("The text is too long for a message, so it is attached as a file.");
      },
    });
  }

  /** The functions of a failed draft's buttons. */
  get #actions() {
    return {
      retry: (client_id) => {
        this.drafts.retry(client_id);
        this.focus();
      },
      edit: (client_id) => {
        const { text, reply_to, files = [] } = this.drafts.take(client_id);
        this.#composer.insert(text);
        this.#reply.start(reply_to);
        this.#attachments.restore(files);
      },
      discard: (client_id) => {
        this.drafts.take(client_id);
        this.focus();
      },
    };
  }

  #send(text) {
    const { problem } = this.drafts;
    if (problem) return problem;
    if (!this.#attachments.isReady()) return LATER;
    this.drafts.add(text, { reply_to: this.#reply.take(), files: this.#attachments.take() });
    this.#onType("");
    this.#reader.goToEnd();
    return "";
  }

  async #withdraw(id, toast) {
    const problem = await this.drafts.held.withdraw(id);
    if (problem) toast.say(problem);
    else this.focus();
  }
}
