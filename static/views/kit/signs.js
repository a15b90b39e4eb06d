/* Small signs beside words: a picture of the page's own set, or a person's. */

import { findHue, findInitials } from "../../state/kit/text.js";

const SVG = "http://www.w3.org/2000/svg";

/** A picture of icons.svg, beside a text or a label that says the same. */
export function makeIcon(url, name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${url}#${name}`);
  svg.append(use);
  return svg;
}

/** A person's initials, which the style sheet of avatars covers with their picture. */
export function makeAvatar({ id, name }, size) {
  const avatar = document.createElement("span");
  avatar.className = `avatar avatar--${size} hue-${findHue(id)}`;
  avatar.dataset.person = id;
  avatar.dataset.initials = findInitials(name);
  avatar.setAttribute("aria-hidden", "true");
  return avatar;
}
