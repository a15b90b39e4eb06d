/* The dialog that sets the person's status. The page of the status has the same form. */

import { findProblemOf } from "../../state/live/api.js";

export class StatusDialog {
  #page;
  #api;
  #toast;

  constructor({ page, api, toast }) {
    this.#page = page;
    this.#api = api;
    this.#toast = toast;
  }

  open() {
    const dialog = this.#page.find("status-template").content.firstElementChild.cloneNode(true);
    const form = dialog.querySelector("form");
    dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    for (const button of dialog.querySelectorAll("[data-emoji]")) {
      button.addEventListener("click", () => {
        form.elements.emoji.value = button.dataset.emoji;
        form.elements.text.value = button.dataset.text;
      });
    }
    const days = form.elements.day.closest(".field");
    const adapt = () => {
      days.hidden = form.elements.ends.value !== "day";
    };
    adapt();
    form.elements.ends.addEventListener("change", adapt);
    dialog.querySelector("[data-cancel]").addEventListener("click", () => dialog.close());
    dialog.querySelector("[data-clear]").addEventListener("click", () => this.#send(dialog, {}));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const { emoji, text, ends, day } = Object.fromEntries(new FormData(form));
      this.#send(dialog, { emoji, text, ends, day });
    });
    document.body.append(dialog);
    dialog.showModal();
  }

  async #send(dialog, status) {
    const line = dialog.querySelector("[data-problem]");
    const problem = await findProblemOf(() => this.#api.setStatus(status));
    line.textContent = problem;
    line.hidden = !problem;
    if (problem) return;
    dialog.close();
    this.#toast.say(status.emoji || status.text ? "Your status was set." : "Your status was cleared.");
  }
}
