/* Converts copied HTML to the Markdown of messages. The parsed document is inert: it loads and runs nothing. */

import { writeFence, writeParagraph, writeTable } from "../../state/messages/markdown.js";
import { isAddress } from "../../state/messages/pasted.js";

const BLOCKS = `address article aside blockquote body caption center dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4
  h5 h6 header hr li main nav ol p pre section summary table tbody td tfoot th thead tr ul`.split(/\s+/);
const IS_BLOCK = new Set(BLOCKS);
/** Blocks with an empty line around them. */
const SPACED = new Set("p h1 h2 h3 h4 h5 h6 ul ol dl blockquote pre table hr".split(" "));
const SKIPPED = `head, script, style, template, noscript, button, select, textarea, input:not([type=checkbox]), iframe, object, svg, canvas,
  audio, video, [hidden], [aria-hidden=true], .visually-hidden, .sr-only, [data-message] :is([data-more], [data-reactions], [data-edited], [data-saved]), .message--joined > .message__head`;
const FORMATS = { b: "bold", strong: "bold", i: "italic", em: "italic", s: "strike", strike: "strike", del: "strike" };
const STYLE = "data-copied-style";
const CODE = new Set(["code", "kbd", "samp", "tt"]);
const NOT_IN_TABLE = "table, ul, ol, pre, blockquote, h1, h2, h3, h4, h5, h6";
const EMOJI = /^(?=.*(?:\p{Extended_Pictographic}|\p{RI}|\u20e3))[^\p{L}\s]+$|^:[\w+-]+:$/u;

/** The Markdown of copied HTML; `isCode` if it is code from an editor or a terminal; `hasText` if it is not only pictures. */
export function convert(html) {
  const { body } = new DOMParser().parseFromString(withoutStyles(html), "text/html");
  for (const element of body.querySelectorAll(SKIPPED)) element.remove();
  return { markdown: join(readBlocks(body, {})).trim(), isCode: isCode(body), hasText: body.textContent.trim() !== "" };
}

/** The security policy forbids styles, also in a parsed document: their attributes get another name. */
function withoutStyles(html) {
  return html
    .replaceAll(/<style\b[^]*?<\/style\s*>/gi, "")
    .replaceAll(/<[a-z](?:"[^"]*"|'[^']*'|[^>"'])*>/gi, (tag) => tag.replaceAll(/\sstyle\s*=/gi, ` ${STYLE}=`));
}

/** Editors copy code as elements with its white space and its font; pages copy it as `code`. */
function isCode(body) {
  const parts = [...body.children].filter(({ textContent }) => textContent.trim());
  const isExact = (part) => /^pre$/.test(styleOf(part, "white-space")) || (part.localName === "pre" && part.hasAttribute(STYLE));
  return parts.length > 0 && parts.every((part) => isExact(part) && !(part.localName === "pre" && part.querySelector("code")));
}

function readBlocks(parent, formats) {
  const blocks = [];
  let pieces = [];
  const end = () => {
    const text = writeParagraph(pieces);
    if (text || pieces.some(({ isBreak }) => isBreak)) blocks.push({ text });
    pieces = [];
  };
  const walk = (node, outer) => {
    for (const child of node.childNodes) {
      if (child.nodeType === Node.TEXT_NODE) pieces.push({ ...outer, text: child.data });
      if (child.nodeType !== Node.ELEMENT_NODE || isHidden(child)) continue;
      const tag = child.localName;
      if (child.matches("[data-permalink]")) pieces.push({ text: " " }); // browsers leave out the space after the author
      if (IS_BLOCK.has(tag)) {
        end();
        blocks.push(...readBlock(child, tag, formatsOf(child, tag, outer)));
      } else if (tag === "br") pieces.push({ text: "\n", isExact: true, isBreak: true });
      else if (tag === "img") pieces.push(readPicture(child, outer));
      else if (tag === "input") pieces.push({ text: child.checked ? "[x] " : "[ ] ", isExact: true });
      else walk(child, formatsOf(child, tag, outer));
    }
  };
  walk(parent, formats);
  end();
  return blocks;
}

function readBlock(element, tag, formats) {
  const isSpaced = SPACED.has(tag) && !element.classList.contains("message__head");
  const inner = () => join(readBlocks(element, formats));
  if (tag === "pre") return [{ text: writeFence(readExact(element), languageOf(element)), isSpaced }];
  if (tag === "blockquote") return [{ text: inner().replaceAll(/^/gm, "> ").replaceAll(/ $/gm, ""), isSpaced }];
  if (/^h\d$/.test(tag)) return [{ text: inner().replaceAll(/\s+/g, " ").replace(/^(?=.)/, `${"#".repeat(tag[1])} `), isSpaced }];
  if ((tag === "ul" || tag === "ol") && !element.querySelector("[data-message]")) return [{ text: readList(element, tag, formats), isSpaced, isList: true }];
  if (tag === "table" && isTable(element)) return [...readCaption(element, formats), { text: writeTable(readRows(element, formats)), isSpaced }];
  const sign = tag === "p" && readOfficeSign(element);
  if (sign) return [{ text: sign + inner() }];
  const blocks = readBlocks(element, formats);
  return isSpaced || element.matches("[data-message]") ? [{ text: join(blocks), isSpaced: true }] : blocks;
}

/** Join blocks by a line break, or by an empty line; in an item of a list, a list follows without an empty line. */
function join(blocks, isInItem = false) {
  let joined = "";
  let isApart = false;
  for (const { text, isSpaced, isList } of blocks) {
    isApart ||= !text || (isSpaced && !(isInItem && isList));
    if (!text) continue;
    joined += (joined && (isApart ? "\n\n" : "\n")) + text;
    isApart = isSpaced;
  }
  return joined;
}

function readList(list, tag, formats) {
  let number = Number(list.getAttribute("start") ?? 1);
  const items = [...list.children].filter((child) => !isHidden(child)).map((item) => {
    const own = formatsOf(item, item.localName, formats);
    if (item.localName !== "li") return indent(`  ${join(readBlock(item, item.localName, own))}`, 2); // a list outside of the items
    const sign = tag === "ol" ? `${number++}. ` : "- ";
    const text = join(readBlocks(item, own), true);
    return indent(sign + (item.matches(".task") ? text.replace(/^[☐☑]/u, (box) => (box === "☑" ? "[x]" : "[ ]")) : text), sign.length);
  });
  return items.join("\n");
}

function indent(text, width) {
  return text.replaceAll(/\n(?=[^\n])/g, `\n${" ".repeat(width)}`);
}

/** Tables of data have more than one column; others only place their parts on a page. */
function isTable(table) {
  const isWide = [...table.rows].some(({ cells }) => cells.length > 1);
  return isWide && table.getAttribute("role") !== "presentation" && !table.querySelector(NOT_IN_TABLE);
}

/** The texts of the cells: a cell over several columns or rows is followed by empty cells. */
function readRows(table, formats) {
  const rows = [];
  const shown = [...table.rows].filter((row) => !isHidden(row));
  shown.forEach((row, y) => {
    rows[y] ??= [];
    let x = 0;
    for (const cell of row.cells) {
      if (isHidden(cell)) continue;
      while (rows[y][x] !== undefined) x += 1;
      const own = formatsOf(cell, cell.localName, formatsOf(row, "tr", formats));
      const text = join(readBlocks(cell, own));
      for (let down = 0; down < Math.min(cell.rowSpan || 1, shown.length - y); down += 1) {
        for (let right = 0; right < cell.colSpan; right += 1) (rows[y + down] ??= [])[x + right] = down || right ? "" : text;
      }
    }
  });
  while (rows.length > 1 && rows.at(-1).every((text) => !text)) rows.pop();
  return rows;
}

function readCaption({ caption }, formats) {
  return caption ? [{ text: join(readBlocks(caption, formats)), isSpaced: true }] : [];
}

/** Word writes the sign of a list's item as text: return it as Markdown, and remove it. */
function readOfficeSign(paragraph) {
  const sign = [...paragraph.querySelectorAll("span")].find((part) => styleOf(part, "mso-list") === "ignore");
  if (!sign) return "";
  const level = Number(/level(\d)/.exec(styleOf(paragraph, "mso-list"))?.[1] ?? 1);
  const number = /^\s*(\d+)[.)]/.exec(sign.textContent)?.[1];
  sign.remove();
  return `${"   ".repeat(level - 1)}${number ? `${number}.` : "-"} `;
}

function readPicture(image, { href, ...formats }) {
  const alt = (image.getAttribute("alt") ?? "").trim();
  const source = image.getAttribute("src") ?? "";
  const isTiny = [image.getAttribute("width"), image.getAttribute("height")].some((side) => side !== null && Number.parseInt(side, 10) <= 2);
  const isDecoration = image.hasAttribute("alt") && !alt;
  if (isTiny || isDecoration || !isAddress(source) || href || EMOJI.test(alt)) return { ...formats, href, text: alt };
  return { ...formats, text: alt || source, href: source };
}

function formatsOf(element, tag, outer) {
  const formats = { ...outer };
  if (FORMATS[tag]) formats[FORMATS[tag]] = true;
  if (CODE.has(tag)) formats.code = true;
  const href = tag === "a" && !element.matches("[data-permalink]") && element.getAttribute("href")?.trim().replaceAll(/\s/g, "%20");
  if (href && isAddress(href)) formats.href = href;
  const [weight, style] = [styleOf(element, "font-weight"), styleOf(element, "font-style")];
  if (weight) formats.bold = /^bold|^[6-9]\d\d$/.test(weight);
  if (style) formats.italic = /^(?:italic|oblique)/.test(style);
  if (/line-through/.test(styleOf(element, "text-decoration") + styleOf(element, "text-decoration-line"))) formats.strike = true;
  if (/^pre/.test(styleOf(element, "white-space"))) formats.isExact = true;
  else if (styleOf(element, "white-space")) formats.isExact = false;
  formats.isHead ||= /^h\d$|^th$/.test(tag);
  if (formats.isHead) formats.bold = false; // headings are bold anyway
  return formats;
}

/** The text of a block of code: its line breaks may be elements. */
function readExact(element) {
  for (const br of element.querySelectorAll("br")) br.replaceWith("\n");
  return element.textContent.replace(/^\n/, "");
}

function languageOf(pre) {
  const names = [pre, pre.querySelector("code"), pre.parentElement].map((element) => element?.className ?? "").join(" ");
  return /(?:^|\s)(?:language-|lang-|highlight-source-)([\w+#.-]{1,40})/.exec(names)?.[1] ?? "";
}

function isHidden(element) {
  return /^none/.test(styleOf(element, "display")) || /^hidden/.test(styleOf(element, "visibility")) || /^all/.test(styleOf(element, "mso-hide"));
}

/** The value of a property in an element's own style. */
function styleOf(element, property) {
  const style = element.getAttribute(STYLE);
  if (!style) return "";
  return new RegExp(`(?:^|;)\\s*${property}\\s*:\\s*([^;]+)`, "i").exec(style)?.[1].trim().toLowerCase() ?? "";
}
