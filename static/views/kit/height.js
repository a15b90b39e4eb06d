/* The height of a text field, where CSS cannot make it follow the text (`field-sizing`): in Safari before 26.2, in Firefox before 2026. */

/** Make a field as high as its text; its style sheet has the limits. */
export function fitHeight(field) {
  if (CSS.supports("field-sizing", "content")) return;
  // The margin keeps the height of what is around the field, so that the log does not scroll while this measures.
  field.style.marginBlockEnd = `${field.offsetHeight}px`;
  field.style.blockSize = "0";
  const border = field.offsetHeight - field.clientHeight;
  field.style.blockSize = `${field.scrollHeight + border}px`;
  field.style.marginBlockEnd = "";
}
