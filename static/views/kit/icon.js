/* A picture of the page's own set (icons.svg), beside a text or a label that says the same. */

const SVG = "http://www.w3.org/2000/svg";

export function makeIcon(url, name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${url}#${name}`);
  svg.append(use);
  return svg;
}
