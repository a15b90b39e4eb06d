/* The files of a message as elements: pictures, players, cards. Must match templates/files/_files.html and chatroom/web/files/shown.py. */

import { count, formatSize } from "../../state/kit/text.js";

const FRAME = [360, 270];
const PICTURES = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"]);
const PLAYED = new Set([
  ...["audio/mpeg", "audio/mp4", "audio/aac", "audio/flac", "audio/wav"],
  ...["audio/ogg", "audio/webm", "audio/x-matroska", "audio/3gpp", "audio/3gpp2"],
  ...["video/mp4", "video/quicktime", "video/webm", "video/ogg", "video/x-matroska", "video/3gpp", "video/3gpp2"],
]);
const LARGEST_MOVING = 3_000_000;
const LONGEST_ENDING = 4;
const SHORT_ENDING = 5;

/** Show these files in a message's element. Unchanged files are not replaced, so that players keep playing. */
export function showFiles(element, files = []) {
  const list = element.querySelector("[data-files]");
  if (!list || readFiles(element).map(({ id }) => id).join() === files.map(({ id }) => id).join()) return;
  list.replaceChildren(...files.map((file) => makeFile(file)));
}

/** The files of an element that the server or `showFiles` rendered. */
export function readFiles(element) {
  return [...element.querySelectorAll("[data-file]")].map(readFile);
}

export function readFile({ dataset }) {
  return JSON.parse(dataset.file);
}

export function findKind({ type, width, pages, has_view }) {
  if (width && (has_view || PICTURES.has(type))) return "picture";
  if (pages) return "document";
  return PLAYED.has(type) ? type.split("/")[0] : "card";
}

/** The size of a picture in a message: never enlarged, with its aspect ratio. */
export function fitFrame({ width, height }) {
  const scale = Math.min(1, FRAME[0] / width, FRAME[1] / height);
  return [width, height].map((side) => Math.max(1, Math.round(side * scale)));
}

export function urlOf({ id, name }) {
  return `/files/${id}/${encodeURIComponent(name)}`;
}

export function thumbnailOf({ id }) {
  return `/files/${id}/thumbnail`;
}

/** The address of the picture on a whole screen. */
export function viewOf(file) {
  return file.has_view ? `/files/${file.id}/view` : urlOf(file);
}

/** The address of the picture in a message: a small copy, or the file itself for a small animation. */
export function shownOf(file) {
  const isAnimated = file.is_animated || file.type === "image/gif"; // GIFs of older versions do not say it
  return isAnimated && file.size <= LARGEST_MOVING ? urlOf(file) : thumbnailOf(file);
}

export function endingOf({ name }) {
  const last = name.slice(name.lastIndexOf(".") + 1);
  return name.includes(".") && [...last].length <= LONGEST_ENDING ? last.toUpperCase() : "FILE";
}

/** What a card says of a file: its size, and the pages of a PDF. */
export function factsOf({ size, pages }) {
  return pages ? `${count(pages, "page")} · ${formatSize(size)}` : formatSize(size);
}

/** Split a name before its ending (`.pdf`, `.tar.gz`), so that the ending stays visible when the name is cut. */
export function splitName(name) {
  const [, stem, ending] = /^(.+?)((?:\.tar)?\.[^.\s]{1,10})$/su.exec(name) ?? [null, name, ""];
  return [stem, ending];
}

/** Show a name in an element that has a part for the stem and a part for the ending. */
export function showName(element, name) {
  const [stem, ending] = splitName(name);
  const [start, end] = element.children;
  start.textContent = stem;
  end.textContent = ending;
  end.classList.toggle("file__ending--long", ending.length > SHORT_ENDING);
  element.title = name;
}

/** Replace the player of a video that this browser cannot play by a card, from which the file can be saved. */
export function replaceBrokenPlayers(log) {
  // Such errors do not bubble, and happen before this script runs in players that the server rendered.
  log.addEventListener("error", ({ target }) => replace(target), true);
  for (const player of log.querySelectorAll("video[data-file-player]")) replace(player);
}

/** Make the element of a file; `kind` is how it is shown. */
function makeFile(file, kind = findKind(file)) {
  const element = document.querySelector(`[data-file-template=${kind}]`).content.firstElementChild.cloneNode(true);
  const find = (part) => element.querySelector(`[data-file-${part}]`);
  element.dataset.file = JSON.stringify(file);
  if (kind === "picture") fillPicture(find, file);
  else fillWords(find, file, find("original") ?? find("link"));
  if (kind === "document") find("page").src = thumbnailOf(file);
  if (kind === "card" || kind === "document") find("kind").dataset.ending = endingOf(file);
  if (kind === "audio" || kind === "video") {
    find("player").src = urlOf(file);
    find("player").setAttribute("aria-label", file.name);
  }
  return element;
}

function fillPicture(find, file) {
  const image = find("picture");
  find("link").href = viewOf(file);
  find("still").srcset = thumbnailOf(file);
  [image.width, image.height] = fitFrame(file);
  image.alt = file.name;
  image.src = shownOf(file);
  if (file.has_view) fillWords(find, file, find("original"));
  else find("caption").remove();
}

function fillWords(find, file, link) {
  link.href = urlOf(file);
  link.download = "";
  // A screen reader would read the two parts of the name as two words.
  link.setAttribute("aria-label", `${file.name}, ${factsOf(file)}`);
  showName(find("name"), file.name);
  find("size").textContent = factsOf(file);
}

function replace(player) {
  if (player.localName !== "video" || player.error?.code !== MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED || !navigator.onLine) return;
  const element = player.closest("[data-file]");
  element?.replaceWith(makeFile(readFile(element), "card"));
}
