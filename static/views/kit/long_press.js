/* Long presses of a finger, which browsers do not report alike. */

const HOLD_MS = 450;
/** A finger that moves farther scrolls. */
const STILL_PX = 10;
/** What a browser itself does something with when it is held. */
const OWN = "a, button, input, textarea, select, audio, video, summary";

/** Call `run(target)` when a finger is held on a part of `root`. While it is held there, no text is selected. */
export function onLongPress(root, run) {
  let timer;
  let start;
  const end = () => {
    clearTimeout(timer);
    root.classList.remove("is-held");
  };
  root.addEventListener("pointerdown", (event) => {
    end();
    if (event.pointerType !== "touch" || !event.isPrimary || event.target.closest(OWN)) return;
    start = event;
    root.classList.add("is-held");
    timer = setTimeout(() => run(event.target), HOLD_MS);
  });
  root.addEventListener("pointermove", (event) => {
    if (start && Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) > STILL_PX) end();
  });
  for (const name of ["pointerup", "pointercancel", "scroll"]) root.addEventListener(name, end);
  root.addEventListener("contextmenu", (event) => root.classList.contains("is-held") && event.preventDefault());
}
