"""Measure what a finger or a mouse can hit, and the fields into which a phone zooms."""

INTERACTIVE = "a[href], button, input:not([type=hidden]), select, textarea, summary, [role=option]"
EXCEPTED = ".message__time, .message__who, .quote"
"""WCAG 2.5.8 excepts links in a text: the name, the time in its line, and a quoted line. They are 22 pixels high. The
picture beside the name, and "About" in the menu of the message, do the same as the name."""
LAYERS = ":popover-open, dialog, [role=menu], [role=dialog]"
SMALL = """([interactive, excepted, layers]) => {
  const isTouch = matchMedia("(pointer: coarse)").matches;
  const least = isTouch ? 40 : 24;
  const textOf = (element) => element.textContent.trim();
  const isInText = (element) =>
    getComputedStyle(element).display === "inline" && textOf(element.parentElement) !== textOf(element);
  const isHit = (element, x, y) => {
    const hit = document.elementFromPoint(x, y);
    return hit !== null && (element.contains(hit) || hit.closest("label")?.control === element);
  };
  // An open menu may cover a part of what is behind it.
  const isCovered = (element, x, y) => document.elementFromPoint(x, y)?.closest(layers)?.contains(element) === false;
  const reach = (element, x, y, dx, dy) => {
    let way = 0;
    const next = () => [x + dx * (way + 1), y + dy * (way + 1)];
    while (way < least && (isHit(element, ...next()) || isCovered(element, ...next()))) way += 1;
    return way;
  };
  const small = [];
  for (const element of document.querySelectorAll(interactive)) {
    const { fontSize } = getComputedStyle(element);
    const isText = element.matches("input:not([type=checkbox], [type=radio], [type=file]), select, textarea");
    if (isTouch && isText && parseFloat(fontSize) < 16) small.push(`${fontSize} ${element.outerHTML.slice(0, 150)}`);
    if (element.matches(excepted) || isInText(element)) continue;
    if (!element.checkVisibility({ visibilityProperty: true })) continue;
    element.scrollIntoView({ block: "center" });
    const box = element.getClientRects()[0] ?? element.getBoundingClientRect();
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    if (!isHit(element, x, y)) continue; // behind something else
    const width = 1 + reach(element, x, y, -1, 0) + reach(element, x, y, 1, 0);
    const height = 1 + reach(element, x, y, 0, -1) + reach(element, x, y, 0, 1);
    if (Math.min(width, height) < least) small.push(`${width}x${height} ${element.outerHTML.slice(0, 150)}`);
  }
  return small;
}"""


def small_targets(page):
    """The visible targets under 24 pixels, on a touch screen under 40, and there the fields with small text."""
    return page.evaluate(SMALL, [INTERACTIVE, EXCEPTED, LAYERS])
