/* Shows one picture over the page. The arrow keys show the other pictures of the room, Escape closes it. */

import { isModified, onKeys } from "../kit/keys.js";
import { makeIcon } from "../kit/signs.js";
import { readFile, showName, urlOf, viewOf } from "./files.js";

/** Open the pictures of a log in place instead of following their links. */
export function openPictures(log, icons) {
  log.addEventListener("click", (event) => {
    const link = event.target.closest(".file--picture [data-file-link]");
    if (!link || isModified(event)) return;
    event.preventDefault();
    new Lightbox(log, icons).open(link.closest("[data-file]"));
  });
}

class Lightbox {
  #log;
  #icons;
  #dialog;
  #image;
  #caption;
  #download;
  #count;
  #buttons = {};
  #pictures = [];
  #index = 0;

  constructor(log, icons) {
    this.#log = log;
    this.#icons = icons;
  }

  open(element) {
    this.#pictures = [...this.#log.querySelectorAll(".file--picture")];
    this.#build();
    this.#show(this.#pictures.indexOf(element));
    document.body.append(this.#dialog);
    this.#dialog.showModal();
  }

  #build() {
    this.#dialog = make("dialog", "lightbox");
    this.#dialog.setAttribute("aria-label", "Picture");
    this.#image = make("img", "lightbox__picture");
    this.#caption = make("p", "lightbox__caption file__name");
    this.#caption.dir = "auto";
    this.#caption.append(make("span", "file__stem"), make("span", "file__ending"));
    this.#caption.setAttribute("aria-live", "polite");
    this.#count = make("span", "lightbox__count");
    this.#download = make("a", "lightbox__button");
    this.#download.download = "";
    this.#dress(this.#download, "download", "Download");
    const bar = make("div", "lightbox__bar");
    bar.append(this.#caption, this.#count, this.#download, this.#button("close", "Close", () => this.#dialog.close()));
    const stage = make("div", "lightbox__stage");
    stage.append(
      this.#button("previous", "Previous picture", () => this.#go(-1)),
      this.#image,
      this.#button("next", "Next picture", () => this.#go(1)),
    );
    this.#dialog.append(bar, stage);
    onKeys(this.#dialog, (meaning) => {
      if (meaning === "ArrowLeft") this.#go(-1);
      if (meaning === "ArrowRight") this.#go(1);
    });
    this.#dialog.addEventListener("click", ({ target }) => (target === stage || target === this.#dialog) && this.#dialog.close());
    this.#dialog.addEventListener("close", () => {
      this.#dialog.remove();
      this.#pictures[this.#index].querySelector("[data-file-link]").focus();
    });
  }

  #go(step) {
    if (this.#pictures[this.#index + step]) this.#show(this.#index + step);
  }

  #show(index) {
    this.#index = index;
    const file = readFile(this.#pictures[index]);
    this.#image.width = file.width;
    this.#image.height = file.height;
    this.#image.alt = file.name;
    this.#image.src = viewOf(file);
    showName(this.#caption, file.name);
    this.#download.href = urlOf(file);
    this.#count.textContent = this.#pictures.length > 1 ? `${index + 1} / ${this.#pictures.length}` : "";
    this.#buttons.previous.disabled = index === 0;
    this.#buttons.next.disabled = index === this.#pictures.length - 1;
  }

  #button(name, text, action) {
    const button = make("button", `lightbox__button lightbox__button--${name}`);
    button.type = "button";
    this.#dress(button, name, text);
    button.addEventListener("click", action);
    this.#buttons[name] = button;
    return button;
  }

  #dress(element, icon, text) {
    element.setAttribute("aria-label", text);
    element.title = text;
    element.append(makeIcon(this.#icons, icon));
  }
}

function make(name, className) {
  const element = document.createElement(name);
  element.className = className;
  return element;
}
