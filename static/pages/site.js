/* What a page without the chat needs: times in the reader's own zone. */
import { localizeTimes, timesOfReader } from "../state/kit/times.js";

localizeTimes(document, timesOfReader({ language: document.documentElement.lang, languages: navigator.languages }));
