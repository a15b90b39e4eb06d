/* Keeps the page above the keyboard on the screen. Most browsers do so by `interactive-widget`; Safari lays its keyboard over the page. */

const NEARLY = 0.01;

/** The height of the page that a keyboard covers. Where the page is enlarged by fingers, nothing is known. */
export function findCovered({ innerHeight, visualViewport: { height, scale } }) {
  return Math.abs(scale - 1) > NEARLY ? 0 : Math.max(0, Math.round(innerHeight - height));
}

export function followKeyboard() {
  const { visualViewport, document } = window;
  visualViewport?.addEventListener("resize", () => {
    const covered = findCovered(window);
    document.documentElement.style.setProperty("--keyboard", `${covered}px`);
    if (covered) window.scrollTo(0, 0); // Safari has moved the page to show the field
  });
}
