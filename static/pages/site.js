/* The entry module of all other pages: shows times in the reader's time zone, and protects the forms from the keys of input methods. */

import { protectCompositions } from "../views/kit/keys.js";
import { findTimes, localizeTimes, reportTimeZone } from "../views/kit/page.js";

protectCompositions(document);
reportTimeZone();
localizeTimes(document, findTimes());
