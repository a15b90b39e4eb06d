/* Finds addresses in a text. No DOM. */

/** An address in a text, without the punctuation that follows it. Must match `ADDRESS` in chatroom/web/kit/filters.py. */
const ADDRESS =
  /(https?:\/\/[^\s<>"\u200e\u200f\u202a-\u202e\u2066-\u2069]*[^\s<>"\u200e\u200f\u202a-\u202e\u2066-\u2069.,;:!?'()[\]])/iu;

/** The pieces of a text: each `{text, isAddress}`. */
export function splitAtAddresses(text) {
  return text.split(ADDRESS).map((piece, at) => ({ text: piece, isAddress: at % 2 === 1 }));
}
