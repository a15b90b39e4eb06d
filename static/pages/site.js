/* The entry module of all other pages: shows times in the reader's time zone. */

import { timesOfReader } from "../state/kit/times.js";
import { localizeTimes } from "../views/kit/page.js";

localizeTimes(document, timesOfReader({ language: document.documentElement.lang, languages: navigator.languages }));
