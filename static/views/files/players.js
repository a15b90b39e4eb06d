/* Replaces the player of a video that this browser cannot play by a card, from which the file can be saved. */

import { makeFile, readFile } from "./files.js";

export function replaceBrokenPlayers(log) {
  // Such errors do not bubble, and happen before this script runs in players that the server rendered.
  log.addEventListener("error", ({ target }) => replace(target), true);
  for (const player of log.querySelectorAll("video[data-file-player]")) replace(player);
}

function replace(player) {
  if (player.localName !== "video" || player.error?.code !== MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED || !navigator.onLine) return;
  const element = player.closest("[data-file]");
  element?.replaceWith(makeFile(readFile(element), "card"));
}
