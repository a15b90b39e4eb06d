/* The form that goes to a day. The server knows when the day starts in the reader's time zone. */

export function startJump(root) {
  const { date } = root.querySelector("form").elements;
  root.addEventListener("toggle", () => root.open && date.focus());
}
