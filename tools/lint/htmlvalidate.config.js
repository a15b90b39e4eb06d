/* What rendered pages are held to: html-validate's recommended rules, but where the house argues. */

export default {
  extends: ["html-validate:recommended"],
  // The image in the template of a message's picture gets its address from the script that fills it in.
  elements: ["html5", { img: { attributes: { src: { required: false } } } }],
  rules: {
    // A list may have a name, which says what it lists.
    "aria-label-misuse": ["error", { allowAnyNamable: true }],
    "doctype-style": ["error", { style: "lowercase" }],
    // Checkboxes of one name are one choice of several.
    "form-dup-name": ["error", { shared: ["radio", "button", "reset", "submit", "checkbox"] }],
    // The frame for browsers without scripts renews itself every few seconds: this is what it is for.
    "meta-refresh": "off",
    // A browser sees no difference, and Jinja's blocks leave it.
    "no-trailing-whitespace": "off",
    // The box of the jump to a room is a list of links, and no control of a form.
    "prefer-native-element": ["error", { exclude: ["listbox"] }],
    // Firefox gives hidden fields back what they held before a reload, unless it is told not to.
    "valid-autocomplete": "off",
  },
};
