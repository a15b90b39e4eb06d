/* Who wrote a message, and handing it to the moderators: both are pages of their own. */

import { shownName } from "../../state/kit/text.js";
import { isWritten } from "./message_actions.js";

export function addOrderActions({ actions, messageView, room }) {
  actions.add({
    name: "person",
    label: (message) => `About ${shownName(message.author)}`,
    icon: "person",
    order: 150,
    isFor: (message) => isWritten(message),
    run: ({ message }) => location.assign(`/people/${message.author.id}?room=${encodeURIComponent(room)}`),
  });

  actions.add({
    name: "report",
    label: "Report…",
    icon: "flag",
    order: 160,
    isFor: (message, me) => isWritten(message) && message.author.id !== me.id,
    run: ({ message }) => location.assign(`${messageView.linkTo(message)}/report`),
  });
}
