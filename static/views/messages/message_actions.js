/* The actions that every room has. */

import { ask } from "../kit/dialog.js";

const ERASING = "The text is permanently erased for everybody. “This message was deleted” takes its place.";

export function addActions({ actions, answer, connection, editor, messageView, reader, toast }) {
  actions.add({
    name: "reply",
    label: "Reply",
    icon: "reply",
    order: 20,
    key: "a",
    isFor: isWritten,
    run: ({ message }) => answer(message),
  });
  actions.add({
    name: "edit",
    label: "Edit",
    icon: "edit",
    order: 30,
    key: "e",
    isFor: (message, me) => isWritten(message) && message.author.id === me.id,
    run: async ({ message, element }) => {
      const problem = await tryTo(() => editor.open(message, element));
      if (problem) toast.say(problem);
    },
  });
  actions.add({
    name: "delete",
    label: "Delete…",
    icon: "delete",
    order: 190,
    key: "Delete",
    isDanger: true,
    isFor: (message, me) => isWritten(message) && (message.author.id === me.id || me.mayModerate),
    run: async ({ message }) => {
      if (!(await ask({ title: "Delete this message?", text: ERASING, label: "Delete", isDanger: true }))) return;
      const problem = await tryTo(() => connection.change({ type: "delete", id: message.id }));
      toast.say(problem || "The message was deleted.");
    },
  });
  actions.add({
    name: "link",
    label: "Copy link",
    icon: "link",
    order: 110,
    key: "c",
    isFor: () => true,
    run: async ({ message }) => {
      try {
        await navigator.clipboard.writeText(new URL(messageView.linkTo(message), location.href).href);
        toast.say("The link was copied.");
      } catch {
        // Only a page that came by TLS, or from this machine, may write to the clipboard.
        await reader.goTo(message.sequence);
        toast.say("The link is in the address bar.");
      }
    },
  });
}

/** Whether it is something that a person wrote, and did not take back. */
export function isWritten({ kind = "message", deleted_at }) {
  return kind === "message" && !deleted_at;
}

/** Why something could not be done, or "" when it was. */
async function tryTo(deed) {
  try {
    const answer = await deed();
    return answer?.type === "refused" ? answer.message : "";
  } catch (error) {
    return error.message;
  }
}
