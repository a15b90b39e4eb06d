/* Icons and avatars next to text. */

import { findHue, findInitials } from "../../state/kit/text.js";

const SVG = "http://www.w3.org/2000/svg";

/** An icon of icons.svg, next to a text or a label with the same meaning. */
export function makeIcon(url, name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${url}#${name}`);
  svg.append(use);
  return svg;
}

/** A person's initials; if the person has a picture, the style sheet of avatars shows it over them. */
export function makeAvatar({ id, name }, size) {
  const avatar = document.createElement("span");
  avatar.className = `avatar avatar--${size} hue-${findHue(id)}`;
  avatar.dataset.person = id;
  avatar.dataset.initials = findInitials(name);
  avatar.setAttribute("aria-hidden", "true");
  return avatar;
}

/** The faces of the other people in a direct conversation, at most two. */
export function makeFaces(people) {
  return people.slice(0, 2).map((person) => makeAvatar(person, "tiny"));
}
