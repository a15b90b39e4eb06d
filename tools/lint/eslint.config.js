/* What scripts are held to: eslint's recommended rules, how long a function may be, and how much it may decide. */

import js from "@eslint/js";
import globals from "globals";

export default [
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      complexity: ["error", 15],
      eqeqeq: "error",
      "max-lines-per-function": ["error", { max: 100, skipBlankLines: true, skipComments: true }],
      "no-unused-vars": "error",
      "no-var": "error",
      "prefer-const": "error",
    },
  },
  {
    files: ["static/**/*.js"],
    ignores: ["static/pages/service_worker.js"],
    languageOptions: { sourceType: "module", globals: globals.browser },
  },
  {
    files: ["static/pages/service_worker.js"],
    languageOptions: { sourceType: "script", globals: globals.serviceworker },
  },
  {
    files: ["tests/js/**/*.js", "tools/lint/*.js"],
    languageOptions: { sourceType: "module", globals: globals.node },
  },
];
