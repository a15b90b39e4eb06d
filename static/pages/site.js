/* What a page without the chat needs: times in the reader's own zone. */

import { timesOfReader } from "../state/kit/times.js";
import { localizeTimes } from "../views/kit/page.js";

localizeTimes(document, timesOfReader({ language: document.documentElement.lang, languages: navigator.languages }));
