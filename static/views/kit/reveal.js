/* Passwords that can be shown while they are typed. Who sees the password need not type it twice. */

/** Show the button of each password, and let it show the password. */
export function offerReveals(root) {
  for (const place of root.querySelectorAll("[data-reveal]")) offerReveal(place);
}

function offerReveal(place) {
  const input = place.querySelector("input");
  const button = place.querySelector("[data-reveal-button]");
  const again = input.form.querySelector("[data-reveal-again]");
  const isShown = () => input.type === "text";
  const repeat = () => {
    if (again && isShown()) again.querySelector("input").value = input.value;
  };
  const show = (shown) => {
    input.type = shown ? "text" : "password";
    button.firstChild.data = shown ? "Hide" : "Show";
    if (again) again.hidden = shown;
    repeat();
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    show(!isShown());
    input.focus();
  });
  input.addEventListener("input", repeat);
  // A password in a field of text would be kept by the browser with what else was typed into it.
  input.form.addEventListener("submit", () => {
    repeat();
    input.type = "password";
  });
}
