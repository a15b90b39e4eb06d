/* The list of present people. */

import { findHue, findInitials } from "../../state/kit/text.js";
import { reconcile } from "../kit/list.js";

const WIDE = "(min-width: 52.01rem)";

export class PeopleView {
  #list;
  #count;
  #template;
  #people = new Map();

  constructor(page) {
    const root = page.find("people");
    this.#list = root.querySelector("[data-people-list]");
    this.#count = root.querySelector("[data-people-count]");
    this.#template = page.find("person-template");
    for (const element of this.#list.children) this.#people.set(element.dataset.id, element);
    openWhenWide(root);
  }

  /** Handle a presence frame: the whole list (`here`), or what changed (`came`, `left`). */
  apply({ here, came = [], left = [] }) {
    if (here) this.#keepOnly(new Set(here.map(({ id }) => id)));
    for (const id of left) this.#people.delete(id);
    for (const person of here ?? came) this.#add(person);
    const elements = [...this.#people.values()];
    elements.sort((a, b) => nameOf(a).localeCompare(nameOf(b), undefined, { sensitivity: "base" }));
    reconcile(this.#list, elements);
    this.#count.textContent = elements.length;
  }

  #keepOnly(ids) {
    for (const id of this.#people.keys()) if (!ids.has(id)) this.#people.delete(id);
  }

  #add({ id, name }) {
    if (this.#people.has(id) && nameOf(this.#people.get(id)) === name) return;
    const element = this.#template.content.firstElementChild.cloneNode(true);
    element.dataset.id = id;
    const avatar = element.querySelector(".avatar");
    avatar.dataset.initials = findInitials(name);
    avatar.dataset.person = id;
    avatar.classList.add(`hue-${findHue(id)}`);
    element.querySelector(".person__name").textContent = name;
    element.querySelector(".person__link").href = `/people/${id}`;
    this.#people.set(id, element);
  }
}

function nameOf(element) {
  return element.querySelector(".person__name").textContent;
}

/** On a wide screen the list is always open; the style sheet shows it even without this. */
function openWhenWide(details) {
  const wide = matchMedia(WIDE);
  const adapt = () => {
    details.open = wide.matches;
  };
  adapt();
  wide.addEventListener("change", adapt);
  details.addEventListener("toggle", () => wide.matches && !details.open && adapt());
}
