/* What a person says about the present, next to the name: the status, and a moon while nothing is to disturb them. Must match `person_says` in templates/kit/_macros.html. */

import { quietEnd, statusAt } from "../../state/people/says.js";
import { makeIcon } from "../kit/signs.js";

/** The elements for a person with `status` and `quiet`. */
export function makeSays(person, now, icons) {
  const made = [];
  if (quietEnd(person, now)) made.push(makeMoon(icons));
  const status = statusAt(person, now);
  if (status) made.push(makeStatus(status));
  return made;
}

function makeMoon(icons) {
  const moon = makeIcon(icons, "moon");
  moon.classList.add("moon");
  moon.removeAttribute("aria-hidden");
  moon.setAttribute("role", "img");
  moon.setAttribute("aria-label", "Do not disturb");
  return moon;
}

export function makeStatus({ emoji = "", text = "" }) {
  const says = document.createElement("span");
  says.className = "says";
  if (text) says.title = text;
  if (emoji) says.append(makePart("span", "says__emoji", emoji));
  if (text) says.append(" ", makePart("bdi", "says__text", text));
  return says;
}

function makePart(name, className, text) {
  const part = document.createElement(name);
  part.className = className;
  part.textContent = text;
  return part;
}
