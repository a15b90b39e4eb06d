/* The reactions below a message: each emoji is a button that adds or removes the person's own. */

import { reconcile } from "../kit/list.js";

const MOST_NAMES = 20;

/** Read the reactions of an element that the server rendered. */
export function readReactions(element) {
  return JSON.parse(element.querySelector("[data-reactions]")?.dataset.reactions || "[]");
}

/** Show the reactions of a message; `userId` is the reader. */
export function showReactions(element, reactions, userId) {
  const list = element.querySelector("[data-reactions]");
  const known = new Map([...list.children].map((item) => [item.dataset.emoji, item]));
  const hadFocus = list.contains(document.activeElement);
  const items = reactions.map((reaction) => {
    const item = known.get(reaction.emoji);
    return showReaction(item?.querySelector("button") ? item : makeItem(reaction.emoji), reaction, userId);
  });
  reconcile(list, items);
  list.hidden = items.length === 0;
  if (hadFocus && !list.contains(document.activeElement)) {
    element.tabIndex = -1;
    element.focus({ preventScroll: true });
  }
}

function makeItem(emoji) {
  const item = document.createElement("li");
  item.dataset.emoji = emoji;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "reaction";
  button.dataset.reaction = emoji;
  const count = document.createElement("span");
  count.className = "reaction__count";
  button.append(makeEmoji(emoji), count);
  item.append(button);
  return item;
}

function showReaction(item, { emoji, people }, userId) {
  const isOwn = people.some(({ id }) => id === userId);
  const button = item.querySelector("button");
  const names = namesOf(people, userId);
  button.title = names;
  button.setAttribute("aria-label", `${emoji} ${people.length}: ${names}`);
  button.setAttribute("aria-pressed", String(isOwn));
  button.querySelector(".reaction__count").textContent = people.length;
  return item;
}

/** "You, Ann and Bob". */
function namesOf(people, userId) {
  const others = people.filter(({ id }) => id !== userId).map(({ name }) => name);
  const all = [...(others.length < people.length ? ["You"] : []), ...others];
  const shown = all.length > MOST_NAMES ? [...all.slice(0, MOST_NAMES), `${all.length - MOST_NAMES} more`] : all;
  return shown.length > 1 ? `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}` : (shown[0] ?? "");
}

function makeEmoji(emoji) {
  const element = document.createElement("span");
  element.className = "emoji";
  element.textContent = emoji;
  return element;
}
