/* Somebody's picture: their initials, which the style sheet of pictures is laid over. */

import { findHue, findInitials } from "../../state/kit/text.js";

export function makeAvatar({ id, name }, size) {
  const avatar = document.createElement("span");
  avatar.className = `avatar avatar--${size} hue-${findHue(id)}`;
  avatar.dataset.person = id;
  avatar.dataset.initials = findInitials(name);
  avatar.setAttribute("aria-hidden", "true");
  return avatar;
}
