/* The actions on a message. */

import { findProblemOf } from "../../state/live/api.js";
import { maySeeChanges } from "../../state/messages/editing.js";
import { shownName } from "../../state/kit/text.js";
import { copyText } from "../kit/clipboard.js";
import { ask } from "../kit/dialog.js";

const ERASING = "The text is permanently erased for everybody. “This message was deleted” takes its place.";

/** The actions for the class `Actions`; `onAnswer(message)`: the next message replies to this message; `onPerson(author, element)`: show who wrote it. */
export function makeMessageActions({ api, connection, editor, following, messageView, reader, toast, onAnswer, onPerson }) {
  return [
    {
      name: "reply",
      label: "Reply",
      icon: "reply",
      order: 20,
      key: "a",
      isFor: isWritten,
      run: ({ message }) => onAnswer(message),
    },
    {
      name: "edit",
      label: "Edit",
      icon: "edit",
      order: 30,
      key: "e",
      isFor: isWrittenBy,
      run: ({ message, element }) => edit(message, element, { editor, toast }),
    },
    {
      name: "unread",
      label: "Mark as unread",
      icon: "eye",
      order: 120,
      key: "u",
      isFor: isWritten,
      run: ({ message }) => markUnread(message, { following, reader, toast }),
    },
    ...makeCopies({ api, messageView, reader, toast }),
    ...makeLinks({ messageView, onPerson }),
    {
      name: "delete",
      label: "Delete…",
      icon: "delete",
      order: 190,
      key: "Delete",
      isDanger: true,
      isFor: (message, me) => isWrittenBy(message, me) || (isWritten(message) && me.mayModerate),
      run: ({ message }) => erase(message, { connection, toast }),
    },
  ];
}

function makeCopies(parts) {
  return [
    {
      name: "copy",
      label: "Copy text",
      icon: "copy",
      order: 105,
      key: "t",
      isFor: isWritten,
      run: ({ message }) => copyMessage(message, parts),
    },
    {
      name: "link",
      label: "Copy link",
      icon: "link",
      order: 110,
      key: "c",
      isFor: () => true,
      run: ({ message }) => copyLink(message, parts),
    },
  ];
}

/** The author's card, and the page that reports the message. */
function makeLinks({ messageView, onPerson }) {
  return [
    {
      name: "changes",
      label: "What was changed",
      icon: "clock",
      order: 140,
      isFor: (message, me) => isWritten(message) && maySeeChanges(message, me),
      run: ({ message }) => location.assign(`${messageView.linkTo(message)}/changes`),
    },
    {
      name: "person",
      label: ({ author }) => (author ? `About ${shownName(author)}` : "About the author"),
      icon: "person",
      order: 150,
      key: "i",
      isFor: isWritten,
      run: ({ message, element }) => onPerson(message.author, element),
    },
    {
      name: "report",
      label: "Report…",
      icon: "flag",
      order: 160,
      isFor: (message, me) => isWritten(message) && message.author.id !== me.id,
      run: ({ message }) => location.assign(`${messageView.linkTo(message)}/report`),
    },
  ];
}

/** Whether a person wrote it and it is not deleted. */
function isWritten({ kind = "message", deleted_at }) {
  return kind === "message" && !deleted_at;
}

export function isWrittenBy(message, { id }) {
  return isWritten(message) && message.author.id === id;
}

async function edit(message, element, { editor, toast }) {
  const problem = await findProblemOf(() => editor.open(message, element));
  if (problem) toast.say(problem);
}

async function markUnread({ sequence }, { following, reader, toast }) {
  const problem = await following.markUnread(sequence);
  if (!problem) {
    reader.news.mark = sequence;
    reader.show();
  }
  toast.say(problem || "Unread from this message on, until you open the room again.");
}

async function copyLink(message, { messageView, reader, toast }) {
  if (await copyText(new URL(messageView.linkTo(message), location.href).href)) {
    toast.say("The link was copied.");
    return;
  }
  await reader.goTo(message.sequence);
  toast.say("The link is in the address bar.");
}

/** Copy the text as it was written, with the marks of Markdown. */
async function copyMessage({ id }, { api, toast }) {
  let isCopied = false;
  const problem = await findProblemOf(async () => {
    isCopied = await copyText(api.readText(id).then(({ text }) => text));
  });
  toast.say(problem || (isCopied ? "Copied." : "The text cannot be copied here."));
}

async function erase({ id }, { connection, toast }) {
  if (!(await ask({ title: "Delete this message?", text: ERASING, label: "Delete", isDanger: true }))) return;
  const problem = await findProblemOf(() => connection.change({ type: "delete", id }));
  toast.say(problem || "The message was deleted.");
}
