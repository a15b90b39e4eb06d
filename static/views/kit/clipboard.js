/* The clipboard. */

/** Copy a text, which may be a promise; returns whether that succeeded. */
export async function copyText(text) {
  try {
    // Safari forgets the press of the button while a text is loaded, so it gets the promise. Only pages over TLS or from
    // this machine have this function.
    if (text instanceof Promise) {
      const blob = text.then((loaded) => new Blob([loaded], { type: "text/plain" }));
      blob.catch(() => {}); // `text` says why
      await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
    } else await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyByCommand(await text);
  }
}

/** The old way, which also works without TLS. The focus and the selection stay. */
function copyByCommand(text) {
  const take = (event) => {
    event.clipboardData.setData("text/plain", text);
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  document.addEventListener("copy", take, { capture: true });
  try {
    return document.execCommand("copy");
  } finally {
    document.removeEventListener("copy", take, { capture: true });
  }
}
