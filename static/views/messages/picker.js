/* The emoji picker: a grid over the page with a search, the groups and the skin tones, for mouse, touch and arrow keys. */

import { TONES } from "../../state/messages/emoji.js";
import { makeOneStop, onKeys, stopAt } from "../kit/keys.js";

const COLUMNS = 8;
const COLUMNS_OF_NARROW = 7; // each is wide enough for a finger
const NARROW_PX = 344;
const GAP_PX = 4;

export class PickerView {
  #emoji;
  #dialog;
  #search;
  #jumps;
  #columns;
  #grid;
  #name;
  #tones;
  #resolve = null;

  constructor({ emoji }) {
    this.#emoji = emoji;
    this.#dialog = document.createElement("dialog");
    this.#dialog.className = "menu picker";
    this.#dialog.setAttribute("aria-label", "Choose an emoji");
    this.#search = makeSearch();
    this.#grid = document.createElement("div");
    this.#grid.className = "picker__grid";
    this.#columns = innerWidth < NARROW_PX ? COLUMNS_OF_NARROW : COLUMNS;
    this.#grid.style.setProperty("--columns", this.#columns);
    this.#grid.setAttribute("role", "grid");
    this.#grid.setAttribute("aria-label", "Emoji");
    this.#name = document.createElement("p");
    this.#name.className = "picker__name";
    this.#name.setAttribute("role", "status");
    this.#jumps = makeBar("picker__jumps", "Groups");
    makeOneStop(this.#jumps);
    this.#tones = makeTones((tone) => this.#setTone(tone));
    const foot = document.createElement("div");
    foot.className = "picker__foot";
    foot.append(this.#name, this.#tones);
    this.#dialog.append(this.#search, this.#jumps, this.#grid, foot);
    document.body.append(this.#dialog);
    this.#search.addEventListener("input", () => this.#show());
    onKeys(this.#dialog, (meaning, event) => this.#press(meaning, event));
    this.#dialog.addEventListener("click", (event) => this.#click(event));
    this.#dialog.addEventListener("close", () => this.#resolve?.(null));
    for (const kind of ["focusin", "pointerover"]) {
      this.#grid.addEventListener(kind, ({ target }) => this.#describe(target.closest("button")));
    }
  }

  /** Open next to an element; returns the emoji, or null. The focus returns to where it was. */
  pick(anchor) {
    this.#search.value = "";
    this.#show();
    this.#dialog.showModal();
    this.#grid.scrollTop = 0; // a closed dialog does not scroll
    this.#placeAt(anchor);
    this.#search.focus();
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  #choose(character) {
    this.#emoji.use(character);
    this.#resolve(character);
    this.#resolve = null;
    this.#dialog.close();
  }

  #setTone(tone) {
    this.#emoji.tone = tone;
    const { scrollTop } = this.#grid;
    this.#show();
    this.#grid.scrollTop = scrollTop;
  }

  #click({ target }) {
    const button = target.closest("button");
    if (button?.dataset.character) this.#choose(button.dataset.character);
    else if (target === this.#dialog) this.#dialog.close();
  }

  #show() {
    const { value } = this.#search;
    const all = value.trim()
      ? [{ name: "Found", emoji: this.#emoji.search(value, 80) }]
      : [{ name: "Recently used", sign: "🕘", emoji: this.#emoji.recent }, ...this.#emoji.groups];
    const groups = all.filter(({ emoji }) => emoji.length);
    const elements = groups.map((group) => makeGroup(group, this.#columns));
    this.#grid.replaceChildren(...elements);
    this.#grid.scrollTop = 0;
    this.#showJumps(value.trim() ? [] : groups, elements);
    for (const button of this.#tones.children) button.setAttribute("aria-pressed", String(button.value === this.#emoji.tone));
    const first = this.#grid.querySelector("button");
    if (first) first.tabIndex = 0;
    this.#name.textContent = first || !value.trim() ? "" : "No matching emoji.";
    if (value.trim()) this.#describe(first);
  }

  /** A button for each group, with its first emoji. */
  #showJumps(groups, elements) {
    const buttons = groups.map(({ name, sign, emoji }, place) =>
      makeButton({ sign: sign ?? emoji[0].character, label: name, onClick: () => this.#scrollTo(elements[place]) }),
    );
    this.#jumps.replaceChildren(...buttons);
    this.#jumps.hidden = !buttons.length;
    stopAt(this.#jumps, buttons[0]);
  }

  #scrollTo(group) {
    this.#grid.scrollTop += group.getBoundingClientRect().top - this.#grid.getBoundingClientRect().top;
  }

  #describe(button) {
    if (button) this.#name.textContent = button.title;
  }

  #press(meaning, event) {
    const { target } = event;
    const first = this.#grid.querySelector("button");
    if (meaning === "Escape") {
      event.preventDefault(); // otherwise Escape only clears the search field
      this.#dialog.close();
      return;
    }
    if (target === this.#search) {
      if (meaning === "ArrowDown" && first) this.#focus(event, first);
      else if (meaning === "Enter") {
        event.preventDefault();
        if (first && this.#search.value.trim()) this.#choose(first.dataset.character);
      }
      return;
    }
    if (!this.#grid.contains(target)) {
      if (meaning === "ArrowDown" && first) this.#focus(event, first);
      return;
    }
    const next = this.#findNext(meaning, target);
    if (next) this.#focus(event, next);
    else if (meaning === "ArrowUp") this.#focus(event, this.#search);
  }

  #findNext(meaning, from) {
    const all = [...this.#grid.querySelectorAll("button")];
    const step = { ArrowRight: 1, ArrowLeft: -1 }[meaning];
    if (step) return all[all.indexOf(from) + step];
    if (meaning === "Home" || meaning === "End") return all.at(meaning === "Home" ? 0 : -1);
    if (meaning !== "ArrowDown" && meaning !== "ArrowUp") return undefined;
    const rows = [...this.#grid.querySelectorAll("[role=row]")];
    const row = from.closest("[role=row]");
    const cells = rows[rows.indexOf(row) + (meaning === "ArrowDown" ? 1 : -1)]?.children;
    return cells && (cells[[...row.children].indexOf(from.parentElement)] ?? cells[cells.length - 1]).firstElementChild;
  }

  #focus(event, element) {
    event.preventDefault();
    for (const button of this.#grid.querySelectorAll('[tabindex="0"]')) button.tabIndex = -1;
    if (element !== this.#search) element.tabIndex = 0;
    element.focus();
  }

  #placeAt(anchor) {
    const at = anchor.getBoundingClientRect();
    const { width, height } = this.#dialog.getBoundingClientRect();
    const above = at.top - GAP_PX - height;
    const top = above >= 0 ? above : Math.min(at.bottom + GAP_PX, innerHeight - height - GAP_PX);
    const left = Math.min(Math.max(GAP_PX, at.right - width), innerWidth - width - GAP_PX);
    this.#dialog.style.setProperty("--menu-top", `${Math.max(GAP_PX, top)}px`);
    this.#dialog.style.setProperty("--menu-left", `${left}px`);
  }
}

function makeBar(className, label) {
  const bar = document.createElement("div");
  bar.className = className;
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", label);
  return bar;
}

function makeTones(onChoose) {
  const bar = makeBar("picker__tones", "Skin tone");
  for (const [tone, name] of TONES) {
    const button = makeButton({ sign: `✋${tone}`, label: name, onClick: () => onChoose(tone) });
    button.value = tone;
    bar.append(button);
  }
  makeOneStop(bar);
  return bar;
}

function makeButton({ sign, label, onClick }) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "picker__button emoji";
  button.textContent = sign;
  button.title = label;
  button.setAttribute("aria-label", label);
  button.addEventListener("click", onClick);
  return button;
}

function makeSearch() {
  const search = document.createElement("input");
  search.type = "search";
  search.className = "input picker__search";
  search.placeholder = "Search emoji";
  search.setAttribute("aria-label", "Search emoji");
  search.autocomplete = "off";
  search.enterKeyHint = "done";
  return search;
}

function makeGroup({ name, emoji }, columns) {
  const group = document.createElement("div");
  group.className = "picker__group";
  group.setAttribute("role", "rowgroup");
  group.setAttribute("aria-label", name);
  const title = document.createElement("p");
  title.className = "picker__title";
  title.setAttribute("aria-hidden", "true");
  title.textContent = name;
  group.append(title);
  for (let start = 0; start < emoji.length; start += columns) {
    const row = document.createElement("div");
    row.className = "picker__row";
    row.setAttribute("role", "row");
    row.append(...emoji.slice(start, start + columns).map(makeCell));
    group.append(row);
  }
  return group;
}

function makeCell({ character, label, codes }) {
  const cell = document.createElement("div");
  cell.setAttribute("role", "gridcell");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "picker__emoji emoji";
  button.tabIndex = -1;
  button.dataset.character = character;
  button.textContent = character;
  button.title = `${label} :${codes[0]}:`;
  button.setAttribute("aria-label", label);
  cell.append(button);
  return cell;
}
