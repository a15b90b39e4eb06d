/* The entry module of all other pages: shows times in the reader's time zone, protects the forms from the keys of input methods, and makes buttons that need scripts work. */

import { offerCopies } from "../views/kit/copy_field.js";
import { protectCompositions, startPopups } from "../views/kit/keys.js";
import { findTimes, localizeTimes, reportTimeZone } from "../views/kit/page.js";
import { offerReveals } from "../views/kit/reveal.js";

protectCompositions(document);
reportTimeZone();
localizeTimes(document, findTimes());
offerCopies(document);
offerReveals(document);
startPopups();
document.querySelector("main [aria-invalid=true]")?.focus(); // the first field that is wrong
