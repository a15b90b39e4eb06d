/* What is dragged over the page and dropped: files are attached, and no drop leads away from the page. */

import { insertText } from "../kit/fields.js";

const OWN = "application/x-chatroom";

/** Attach files that are dropped on an element, and highlight it while files are over it; `isOpen()`: whether it takes files now. */
export function acceptDrops(zone, { isOpen, onDrop }) {
  const mark = (isOver) => zone.classList.toggle("is-dropped-on", isOver);
  const isForZone = (event) => hasFiles(event) && zone.contains(event.target) && isOpen();
  const look = (event) => {
    const isMeant = isForZone(event);
    mark(isMeant);
    if (!isMeant && takesItself(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = isMeant ? "copy" : "none";
  };
  // A picture of the page brings itself as a file.
  document.addEventListener("dragstart", ({ dataTransfer }) => dataTransfer?.setData(OWN, ""));
  document.addEventListener("dragenter", look);
  document.addEventListener("dragover", look);
  document.addEventListener("dragleave", ({ relatedTarget }) => relatedTarget || mark(false));
  document.addEventListener("drop", (event) => {
    look(event);
    mark(false);
    if (isForZone(event)) onDrop(filesOf(event.dataTransfer));
    else if (isOwnPicture(event)) insertAddress(event);
  });
}

/** The files, and the names of the folders, which cannot be attached. */
export function filesOf({ items, files }) {
  const entries = [...items].filter(({ kind }) => kind === "file").map((item) => item.webkitGetAsEntry?.());
  const isFolder = (_, index) => Boolean(entries[index]?.isDirectory);
  return { files: [...files].filter((...each) => !isFolder(...each)), folders: [...files].filter(isFolder).map(({ name }) => name) };
}

function hasFiles({ dataTransfer }) {
  return dataTransfer?.types.includes("Files") && !dataTransfer.types.includes(OWN);
}

function isOwnPicture({ target, dataTransfer: { types } }) {
  return types.includes(OWN) && !types.includes("text/plain") && target.matches?.("textarea");
}

/** Browsers insert nothing for a picture. */
function insertAddress(event) {
  event.preventDefault();
  insertText(event.target, event.dataTransfer.getData("text/uri-list"));
}

/** Whether an element has its own use for what is dragged: text fields for texts, and fields for files. */
function takesItself(event) {
  const field = event.target.closest?.("input, textarea");
  if (!field) return false;
  return hasFiles(event) ? field.type === "file" : !field.matches("[type=checkbox], [type=radio], [type=file]");
}
