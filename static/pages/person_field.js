/* The entry module of pages with a field that takes the name of a person: the field completes it. */

import { Api } from "../state/live/api.js";
import { protectCompositions } from "../views/kit/keys.js";
import { completePerson } from "../views/rooms/person_field.js";

protectCompositions(document);
for (const root of document.querySelectorAll("[data-person-field]")) start(root);

function start(root) {
  const { apiUrl, among, user } = root.dataset;
  const api = new Api({ url: apiUrl, csrfToken: "", fetch: (...request) => fetch(...request) });
  completePerson({
    root,
    findPeople: async (text) => {
      try {
        const { members, others } = await api.findMembers(text);
        const found = { members, others }[among];
        return found.filter(({ username }) => username !== user);
      } catch {
        return []; // without an answer, there are no suggestions
      }
    },
  });
}
