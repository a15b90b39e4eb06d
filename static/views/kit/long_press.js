/* Long presses of a finger, which browsers do not report alike. */

const HOLD_MS = 450;
/** A finger that moves farther scrolls. */
const STILL_PX = 10;
/** What a browser itself does something with when it is held. */
const OWN = "a, button, input, textarea, select, audio, video, summary";

/**
 * Call `run(target)` when a finger is held on a part of `root`. While it is held there, no text is selected.
 * `page` gets the events of the whole page: what opened under the finger must not be pressed when the finger goes up.
 */
export function onLongPress(root, run, page = window) {
  let timer;
  let start;
  let isWaitingForClick = false;
  const end = () => {
    clearTimeout(timer);
    root.classList.remove("is-held");
  };
  root.addEventListener("pointerdown", (event) => {
    end();
    if (event.pointerType !== "touch" || !event.isPrimary || event.target.closest(OWN)) return;
    start = event;
    root.classList.add("is-held");
    timer = setTimeout(() => {
      isWaitingForClick = true;
      run(event.target);
    }, HOLD_MS);
  });
  root.addEventListener("pointermove", (event) => {
    if (start && Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) > STILL_PX) end();
  });
  for (const name of ["pointerup", "pointercancel", "scroll"]) root.addEventListener(name, end);
  page.addEventListener("contextmenu", (event) => root.classList.contains("is-held") && event.preventDefault(), true);
  page.addEventListener("pointerdown", () => {
    isWaitingForClick = false;
  }, true);
  page.addEventListener("click", (event) => {
    if (!isWaitingForClick || !isOfPointer(event)) return;
    isWaitingForClick = false;
    swallow(event);
  }, true);
}

/** The clicks of keys and scripts count no presses. */
function isOfPointer({ detail }) {
  return detail > 0;
}

function swallow(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}
