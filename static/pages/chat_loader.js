/* The first script of the room's page. It loads the others when the whole page is read, so that they do not delay the messages. */

const modules = document.querySelector("[data-modules]");
if (modules) document.head.append(modules.content); // in parallel, instead of each after the one that imports it
import("./chat.js");
