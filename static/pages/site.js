/* The entry module of all other pages: shows times in the reader's time zone, and protects the forms from the keys of input methods. */

import { timesOfReader } from "../state/kit/times.js";
import { protectCompositions } from "../views/kit/keys.js";
import { localizeTimes } from "../views/kit/page.js";

protectCompositions(document);
localizeTimes(document, timesOfReader({ language: document.documentElement.lang, languages: navigator.languages }));
