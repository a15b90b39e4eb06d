/* The entry module of the page for a new conversation: the field "To" completes names. */

import { Api } from "../state/live/api.js";
import { Recipients } from "../state/rooms/recipients.js";
import { protectCompositions } from "../views/kit/keys.js";
import { RecipientsView } from "../views/rooms/recipients.js";

protectCompositions(document);
const root = document.querySelector("[data-recipients]");
if (root) start(root);

function start(root) {
  const { user, most, apiUrl } = root.dataset;
  const api = new Api({ url: apiUrl, csrfToken: "", fetch: (...request) => fetch(...request) });
  new RecipientsView({
    root,
    recipients: new Recipients({ user, most: Number(most) }),
    findPeople: async (text) => {
      try {
        const { members, others } = await api.findMembers(text);
        return [...members, ...others];
      } catch {
        return []; // without an answer, there are no suggestions
      }
    },
  });
}
