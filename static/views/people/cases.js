/* The numbers of open reports and held messages: at the person's picture, in the menu, in the title and above the messages.

   Moderators only. The module is loaded when the first number changes. */

import { Cases, sayHeld, withCases } from "../../state/people/cases.js";
import { shorten } from "../../state/rooms/rooms.js";
import { ApiError } from "../../state/live/api.js";

/** The cases of the person; `renew()` reads and shows their numbers. */
export function makeCases({ api, clock }) {
  return new Cases({ read: () => read(api), clock, onChange: show });
}

/** A failed read is repeated with the next change. */
async function read(api) {
  try {
    return await api.readCases();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return null;
  }
}

function show({ reports, held }) {
  const count = reports + held;
  for (const button of document.querySelectorAll(".account-button")) {
    button.setAttribute("aria-label", count ? `Your account, ${shorten(count)} to decide` : "Your account");
    showCount(button, count, "account-button__count").setAttribute("aria-hidden", "true");
  }
  for (const [name, number] of Object.entries({ reports, held })) {
    const item = document.querySelector(`[data-count=${name}]`);
    if (item) showCount(item, number, "popup__count");
  }
  const note = document.querySelector("[data-held-note]");
  if (note) {
    note.hidden = held === 0;
    note.querySelector("[data-held-sentence]").textContent = sayHeld(held);
  }
  document.title = withCases(document.title, count);
}

function showCount(parent, count, className) {
  let badge = parent.querySelector(`.${className}`);
  if (!badge) {
    badge = document.createElement("span");
    badge.className = `room-count room-count--urgent ${className}`;
    parent.append(" ", badge);
  }
  badge.hidden = count === 0;
  badge.textContent = count ? shorten(count) : "";
  return badge;
}
