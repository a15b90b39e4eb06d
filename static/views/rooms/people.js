/* The list of people: who is in the room now, and which members are away. */

import { findHue, findInitials } from "../../state/kit/text.js";
import { Moments, quietEnd } from "../../state/people/says.js";
import { reconcile } from "../kit/list.js";
import { clock } from "../kit/page.js";
import { makeSays } from "../people/signs.js";

const SEEN = { here: "on the site", today: "seen today", week: "seen this week", "": "" };

export class PeopleView {
  #list;
  #away;
  #awayList;
  #more;
  #count;
  #template;
  #icons;
  #partner;
  #people = new Map(); // id -> {id, name, status, quiet}, of those who are in the room
  #elements = new Map();
  #moments = new Moments({ clock, onChange: () => this.#show() });
  #state = null;

  constructor(page) {
    const root = page.find("people");
    this.#icons = page.data.icons;
    this.#list = root.querySelector("[data-people-list]");
    this.#away = root.querySelector("[data-away]");
    this.#awayList = root.querySelector("[data-away-list]");
    this.#more = root.querySelector("[data-away-more]");
    this.#count = root.querySelector("[data-people-count]");
    this.#template = page.find("person-template");
    this.#partner = page.find("partner");
    for (const element of this.#list.children) this.#adopt(element);
    this.#moments.watch([...this.#people.values(), ...this.#showPartner([...this.#people.values()])]);
    keepOpen(root);
  }

  /** Whether a person who is in the room does not want to be disturbed now. */
  isQuiet(id) {
    return quietEnd(this.#people.get(id) ?? {}, clock.now()) > 0;
  }

  /** Handle a presence frame: the whole list (`here`), or what changed (`came`, `left`). */
  apply({ here, came = [], left = [] }) {
    const gone = here ? [...this.#people.keys()].filter((id) => !here.some((person) => person.id === id)) : left;
    for (const id of gone) this.#remove(id);
    for (const person of here ?? came) this.#people.set(person.id, person);
    this.#show();
  }

  /** Show those who are away, from now on; `away` is the state. */
  showAway(away) {
    this.#state = away;
    this.#show();
  }

  #adopt(element) {
    const { id, says = "{}" } = element.dataset;
    this.#elements.set(id, element);
    this.#people.set(id, { id, name: nameOf(element), ...JSON.parse(says) });
  }

  #remove(id) {
    const person = this.#people.get(id);
    if (!person) return;
    this.#people.delete(id);
    this.#state?.leave(person);
  }

  #show() {
    const byName = (a, b) => a.name.localeCompare(b.name, undefined, { sensitivity: "base" });
    const here = [...this.#people.values()].sort(byName);
    const away = this.#state?.list((id) => this.#people.has(id)) ?? [];
    this.#forget(new Set([...here.map(({ id }) => id), ...away.map(({ person }) => person.id)]));
    reconcile(this.#list, here.map((person) => this.#elementOf(person)));
    reconcile(this.#awayList, away.map(({ person, seen }) => this.#elementOf(person, SEEN[seen])));
    this.#count.textContent = here.length;
    this.#away.hidden = !away.length;
    this.#more.hidden = !this.#state?.hasMore;
    const shown = [...here, ...away.map(({ person }) => person)];
    this.#moments.watch([...shown, ...this.#showPartner(shown)]);
  }

  /** Beside the title of a direct conversation, show the other person, who is returned; `known` are the people in the list. */
  #showPartner(known) {
    if (!this.#partner) return [];
    const { id, says } = this.#partner.dataset;
    const person = known.find((each) => each.id === id) ?? JSON.parse(says); // until it is read, what the page came with
    this.#partner.querySelector("[data-partner-says]").replaceChildren(...makeSays(person, clock.now(), this.#icons));
    this.#partner.querySelector("[data-partner-here]").hidden = !this.#people.has(id) && !this.#state?.isHere(id);
    return [person];
  }

  #forget(shown) {
    for (const id of this.#elements.keys()) if (!shown.has(id)) this.#elements.delete(id);
  }

  #elementOf(person, seen = "") {
    const known = this.#elements.get(person.id);
    const element = known && nameOf(known) === person.name ? known : this.#make(person);
    const says = makeSays(person, clock.now(), this.#icons);
    element.querySelector("[data-person-says]").replaceChildren(...says, ...(seen ? [makeSeen(seen)] : []));
    return element;
  }

  #make({ id, name }) {
    const element = this.#template.content.firstElementChild.cloneNode(true);
    element.dataset.id = id;
    const avatar = element.querySelector(".avatar");
    avatar.dataset.initials = findInitials(name);
    avatar.dataset.person = id;
    avatar.classList.add(`hue-${findHue(id)}`);
    element.querySelector(".person__name").textContent = name;
    const link = element.querySelector(".person__link");
    link.href = `/people/${id}`;
    link.dataset.card = id;
    this.#elements.set(id, element);
    return element;
  }
}

function nameOf(element) {
  return element.querySelector(".person__name").textContent;
}

function makeSeen(text) {
  const seen = document.createElement("span");
  seen.className = "person__seen";
  seen.textContent = text;
  return seen;
}

/** The list does not fold: on a phone, it is a drawer. */
function keepOpen(details) {
  details.addEventListener("toggle", () => {
    details.open = true;
  });
}
