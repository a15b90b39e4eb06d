/* A field that takes the name of one person: a list completes it, and the choice writes the user name. */

import { count } from "../../state/kit/text.js";
import { onKeys } from "../kit/keys.js";
import { PeopleListView } from "./people_list.js";

/** Complete the name in a field; `findPeople(text)` returns people, each as `{id, name, username}`. */
export function completePerson({ root, findPeople }) {
  const input = root.querySelector("input");
  const status = root.querySelector("[role=status]");
  const people = new PeopleListView({
    input,
    list: root.querySelector("[role=listbox]"),
    find: (text) => findPeople(text.replace(/^@/, "")),
    onFound: (found) => {
      status.textContent = found.length ? count(found.length, "suggestion") : "Nobody has this name.";
    },
    onTake: ({ name, username }) => {
      input.value = username;
      status.textContent = `${name} was chosen.`;
    },
  });
  onKeys(input, (meaning, event) => people.press(meaning, meaning === "Enter") && event.preventDefault());
  input.addEventListener("blur", () => people.close());
}
