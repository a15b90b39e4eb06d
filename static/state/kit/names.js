/* Names are found by any part, with or without accents. Must match chatroom/names/parts.py. No DOM. */

const RANGES = [
  ..."\\u0300-\\u036f \\u0483-\\u0487 \\u0591-\\u05c7 \\u0610-\\u061a \\u0640 \\u064b-\\u065f \\u0670 \\u06d6-\\u06dc".split(" "),
  ..."\\u06df-\\u06e8 \\u06ea-\\u06ed \\u1ab0-\\u1aff \\u1dc0-\\u1dff \\ufe00-\\ufe0f \\u00ad \\u061c \\u180e".split(" "),
  ..."\\u200b-\\u200f \\u2060 \\ufeff".split(" "),
];
const ACCENTS = new RegExp(`[${RANGES.join("")}]+`, "g");
const LETTERS = {
  ...{ ø: "o", ł: "l", đ: "d", ð: "d", þ: "th", æ: "ae", œ: "oe", ı: "i", ħ: "h", ß: "ss", ς: "σ" },
  ...{ "\u0649": "\u064a", "\u06cc": "\u064a", "\u06a9": "\u0643", "\u0629": "\u0647" },
};
const GERMAN = { ä: "ae", ö: "oe", ü: "ue" };
const APOSTROPHES = /['`\u00b4\u2018\u2019\u02bb\u02bc]/g;

/** A text without case, accents, apostrophes and differences in the width of letters. */
export function fold(text) {
  const bare = text.toLowerCase().normalize("NFKD").replaceAll(ACCENTS, "").toLowerCase();
  const plain = [...bare].map((letter) => LETTERS[letter] ?? letter).join("");
  return plain.normalize("NFC").replaceAll(/[\s._-]+/g, " ").replaceAll(APOSTROPHES, "");
}

/** Whether a name contains a typed text: "mueller" and "muller" are in Müller. */
export function hasPart(name, text) {
  const wanted = fold(text.trim()).trimStart();
  if (!wanted) return true; // most lists are not filtered
  const german = name.normalize("NFC").toLowerCase().replaceAll(/[äöü]/g, (letter) => GERMAN[letter]);
  return [name, german].some((spelling) => fold(spelling).includes(wanted));
}
