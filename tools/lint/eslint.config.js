/* What scripts are held to: eslint's recommended rules, how long a module and a function may be, and how much it may decide. */

import js from "@eslint/js";
import globals from "globals";

export default [
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      complexity: ["error", 15],
      eqeqeq: "error",
      "max-lines": ["error", 300],
      "max-lines-per-function": ["error", 50],
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
    rules: { "max-lines": "off", "max-lines-per-function": "off" },
  },
];
