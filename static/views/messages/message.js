/* One message as an element: created from the page's template, and updated from the timeline.

   Only `setBody` turns stored HTML into elements, here and in all scripts; everything else is text. */

import { maySeeChanges } from "../../state/messages/editing.js";
import { DELETED } from "../../state/messages/quotes.js";
import { findHue, findInitials, shownName } from "../../state/kit/text.js";
import { isNaming } from "../../state/rooms/rooms.js";
import { readFiles, showFiles } from "../files/files.js";
import { showTime } from "../kit/page.js";
import { readReactions, showReactions } from "./reactions.js";

/** The name of deleted accounts, which have no page. Must match `FORMER_MEMBER` in chatroom/base/models. */
const FORMER_MEMBER = "Former member";

export class MessageView {
  #template;
  #times;
  #roomUrl;
  #quotes;
  #userId;
  #mayModerate;
  #later;

  /** `quotes` has the quoted messages, `later` marks the saved ones. */
  constructor({ page, quotes, later }) {
    this.#later = later;
    this.#template = page.find("message-template");
    this.#quotes = quotes;
    this.#times = page.times;
    this.#roomUrl = page.data.roomUrl;
    this.#userId = page.user.id;
    this.#mayModerate = page.mayModerate;
  }

  /** The address of a message's own page. */
  linkTo({ sequence }) {
    return `${this.#roomUrl}/${sequence}`;
  }

  /** Take over an element that the server rendered, and add the parts that depend on the reader. */
  adopt(element, message) {
    this.setTimes(element, message);
    makeScrollable(element);
    if (!element.querySelector("[data-reactions]")) element.append(this.#find("[data-reactions]").cloneNode(true));
    this.#showMarks(element, message);
  }

  /** An element for a message of the timeline. */
  make(message) {
    const element = this.#find("[data-message]").cloneNode(true);
    this.update(element, message);
    return element;
  }

  /** Show the current message; `before` is the message that the element shows so far, if any. */
  update(element, message, before) {
    const { author, deleted_at } = message;
    Object.assign(element.dataset, {
      id: message.id ?? "",
      sequence: message.sequence ?? "",
      revision: message.revision ?? "",
      author: author.id,
      clientId: message.client_id ?? "",
    });
    element.classList.toggle("message--deleted", Boolean(deleted_at));
    element.classList.toggle("message--event", message.kind === "event");
    this.#setLinks(element, message);
    this.#setAuthor(element, author);
    this.setTimes(element, message);
    this.setQuote(element, message);
    // A reaction does not re-render the text: a selection in it and a playing video are kept.
    if (!before || before.html !== message.html || deleted_at) {
      setBody(element.querySelector("[data-body]"), message);
      showFiles(element, deleted_at ? [] : message.files);
    }
    this.#showMarks(element, message);
  }

  setTimes(element, message) {
    const { sent_at, edited_at, deleted_at } = message;
    const time = element.querySelector("time");
    time.dateTime = typeof sent_at === "string" ? sent_at : new Date(sent_at).toISOString();
    showTime(time, this.#times);
    const edited = element.querySelector("[data-edited]");
    if (!edited_at || deleted_at) {
      edited.replaceChildren();
      edited.removeAttribute("href");
      return;
    }
    const at = time.cloneNode();
    at.dateTime = edited_at;
    showTime(at, this.#times);
    edited.replaceChildren("edited ", at);
    if (maySeeChanges(message, { id: this.#userId, mayModerate: this.#mayModerate })) edited.href = `${this.linkTo(message)}/changes`;
  }

  /** Show the current text of the quoted message. */
  setQuote(element, { reply_to }) {
    if (!reply_to) return;
    const quote = element.querySelector("[data-quote]");
    const { author, text } = this.#quotes.describe(reply_to);
    if (text === undefined && !quote.hidden) return; // the old text is better than none
    const [name, line] = quote.children;
    name.textContent = author ? shownName(author) : "";
    name.className = author ? `quote__author hue-${findHue(author.id)}` : "quote__author";
    line.textContent = text ?? "…";
    quote.href = this.linkTo({ sequence: reply_to });
    quote.hidden = false;
  }

  #find(selector) {
    return this.#template.content.querySelector(selector);
  }

  #showMarks(element, message) {
    const { reactions = [], pinned_at, mentions } = message;
    element.dataset.pinned = pinned_at ?? "";
    showReactions(element, reactions, this.#userId);
    markMentions(element, this.#userId, mentions);
    this.#later.mark(element, message);
  }

  /** A draft has no page of its own yet. */
  #setLinks(element, message) {
    for (const link of element.querySelectorAll("[data-permalink], [data-more]")) {
      if (message.sequence) link.href = this.linkTo(message);
    }
  }

  #setAuthor(element, { id, name, is_bot }) {
    const hue = `hue-${findHue(id)}`;
    const avatar = element.querySelector(".avatar");
    avatar.dataset.initials = findInitials(name);
    avatar.dataset.person = id;
    avatar.classList.add(hue);
    const author = element.querySelector("[data-author-name]");
    author.textContent = name;
    author.classList.add(hue);
    const link = element.querySelector("[data-author-link]");
    if (name === FORMER_MEMBER) {
      link.removeAttribute("href");
      delete link.dataset.card;
    } else {
      link.href = `/people/${id}`;
      link.dataset.card = id;
    }
    element.querySelector("[data-bot]").textContent = is_bot ? "bot" : "";
  }
}

/** Read a message from the element that the server rendered. */
export function readMessage(element) {
  const { id, sequence, revision, author, clientId, kind, pinned, replyTo } = element.dataset;
  const body = element.querySelector("[data-body]");
  const html = body.innerHTML;
  const isDeleted = element.classList.contains("message--deleted");
  return {
    id,
    sequence: Number(sequence),
    revision: Number(revision),
    author: {
      id: author,
      name: element.querySelector("[data-author-name]").textContent,
      is_bot: element.querySelector("[data-bot]").textContent !== "",
    },
    client_id: clientId || undefined,
    kind,
    reply_to: replyTo ? Number(replyTo) : undefined,
    sent_at: element.querySelector("time").dateTime,
    edited_at: element.querySelector("[data-edited] time")?.dateTime,
    files: readFiles(element),
    reactions: readReactions(element),
    pinned_at: pinned || undefined,
    ...(isDeleted ? { deleted_at: true } : { html }),
  };
}

/** Show the text of a message, as the server rendered it for this person. */
export function showText(element, html, userId) {
  setBody(element, { html });
  markMentions(element, userId);
}

function setBody(body, { html, text, deleted_at }) {
  if (deleted_at) body.replaceChildren(makeParagraph("message__tombstone", DELETED));
  else if (html === undefined) body.replaceChildren(makeParagraph("message__plain", text));
  else {
    body.innerHTML = html; // sanitized when it was stored
    makeScrollable(body);
  }
}

/** A wide block of code or table must be focusable, so that it can be scrolled by keyboard. */
export function makeScrollable(element) {
  for (const block of element.querySelectorAll("pre, table")) block.tabIndex = 0;
}

function makeParagraph(className, text) {
  const paragraph = document.createElement("p");
  paragraph.className = className;
  paragraph.textContent = text;
  return paragraph;
}

/** Mark mentions of the reader. */
function markMentions(element, userId, mentions) {
  const named = { userId, mentions, wasNamed: element.classList.contains("message--names-me") };
  let isNamed = false;
  for (const mention of element.querySelectorAll(".mention")) {
    const isMe = isNaming(mention.dataset.user, named);
    mention.classList.toggle("mention--me", isMe);
    if (!["room", "here"].includes(mention.dataset.user)) {
      mention.setAttribute("role", "button");
      mention.tabIndex = 0;
    }
    isNamed ||= isMe;
  }
  element.classList.toggle("message--names-me", isNamed);
}
