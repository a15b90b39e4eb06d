/* The entry module of all other pages: shows times in the reader's time zone. */

import { findTimes, localizeTimes, reportTimeZone } from "../views/kit/page.js";

reportTimeZone();
localizeTimes(document, findTimes());
