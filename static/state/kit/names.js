/* Names are found by any part, with or without accents. Must match chatroom/names/parts.py. No DOM. */

const ACCENTS = /[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u064b-\u065f\u0670]+/g;
const LETTERS = { ø: "o", ł: "l", đ: "d", ð: "d", þ: "th", æ: "ae", œ: "oe", ı: "i", ħ: "h", ß: "ss", ς: "σ" };
const GERMAN = { ä: "ae", ö: "oe", ü: "ue" };
const APOSTROPHES = /['`\u00b4\u2018\u2019\u02bb\u02bc\u200c\u200d]/g;

/** A text without case, accents, apostrophes and differences in the width of letters. */
export function fold(text) {
  const bare = text.toLowerCase().normalize("NFKD").replaceAll(ACCENTS, "").toLowerCase();
  const plain = [...bare].map((letter) => LETTERS[letter] ?? letter).join("");
  return plain.normalize("NFC").replaceAll(/[\s._-]+/g, " ").replaceAll(APOSTROPHES, "");
}

/** Whether a name contains a typed text: "mueller" and "muller" are in Müller. */
export function hasPart(name, text) {
  const wanted = fold(text.trim()).trimStart();
  const german = name.normalize("NFC").toLowerCase().replaceAll(/[äöü]/g, (letter) => GERMAN[letter]);
  return [name, german].some((spelling) => fold(spelling).includes(wanted));
}
