/* What a typed name means: the rooms and people that have it, the likeliest first. No DOM. */

import { fold, hasPart } from "../kit/names.js";

const MOST_NAMED = 8;

/** The rooms whose title contains the text, and these people. A name means a person before a group with this person;
    titles that start with the text come before others, and then unread rooms. */
export function findChoices(wanted, rooms, people = []) {
  const named = rooms.filter(({ title }) => hasPart(title, wanted)).map((room) => ({ room, name: room.title }));
  const found = [...named, ...people.map((person) => ({ person, name: person.name }))];
  const rank = ({ room, name }) => 9 * place(wanted, name, room) - (room?.urgent ? 2 : room?.unread ? 1 : 0);
  return found.sort((a, b) => rank(a) - rank(b));
}

/** The rooms that `#` with this text may name: a word of the title, or the address, starts with it. */
export function findNamed(wanted, rooms) {
  const start = fold(wanted);
  const isNamed = ({ slug, title }) => ` ${fold(title)}`.includes(` ${start}`) || slug.startsWith(wanted.toLowerCase());
  const named = rooms.filter((room) => room.kind !== "direct" && isNamed(room));
  return named.sort((a, b) => place(wanted, a.title) - place(wanted, b.title)).slice(0, MOST_NAMED);
}

/** Whether a room is a direct conversation of several people. */
export function isGroup({ kind, people }) {
  return kind === "direct" && people.length > 1;
}

function place(wanted, name, room) {
  if (!wanted) return 0;
  if (room && isGroup(room)) return 2;
  return fold(name).startsWith(fold(wanted)) ? 0 : 1;
}
