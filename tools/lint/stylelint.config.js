/* What style sheets are held to: stylelint's standard, but where the house argues. */

const NAME = "[a-z][a-z0-9]*(-[a-z0-9]+)*";
const PART = "[a-z0-9]+(-[a-z0-9]+)*";

export default {
  extends: "stylelint-config-standard",
  rules: {
    // Groups of tokens stand apart from each other, and read like a table.
    "custom-property-empty-line-before": null,
    // A scale goes down as well as up: `--step--1` is the step below `--step-0`.
    "custom-property-pattern": [`^${NAME}(--[0-9]+)?$`, { message: (name) => `${name} is neither kebab-case nor a step` }],
    // Browsers before 2023 know no ranges, and without these queries a phone gets the desktop's page.
    "media-feature-range-notation": "prefix",
    // Safari on the iPhone knows this one by its prefix alone.
    "property-no-vendor-prefix": [true, { ignoreProperties: ["text-size-adjust"] }],
    // A class says which block it belongs to, as which part, and in which variant.
    "selector-class-pattern": [
      `^${NAME}(__${PART})?(--${PART})?$`,
      { message: (name) => `${name} is not named as block__element--modifier` },
    ],
    // Fonts are written as their makers write them.
    "value-keyword-case": ["lower", { ignoreProperties: [/^--font/] }],
  },
};
