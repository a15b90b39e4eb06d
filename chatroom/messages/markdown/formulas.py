"""Recognize formulas, `$x^2$` and `$$x^2$$`, and leave prices, variables of programs and paths as they are."""

from typing import Any

import regex
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from mdit_py_plugins.dollarmath.index import math_block_dollar

from chatroom.messages.markdown.inline_rules import WITHOUT_SPACES
from chatroom.messages.markdown.mathml import LONGEST

MOST_LINES = 100
_begin = rf"""(?<![^\s\p{{Ps}}\p{{Pi}}\p{{Pd}}\p{{Po}}|{WITHOUT_SPACES.pattern[1:-1]}--[\\/@\#%&.!?]])"""
_inline = rf"""\$(?!\s)(?P<inline>(?:\\.|[^$\\\n]){{1,{LONGEST}}}+)(?<!\s)\$"""
_shown = rf"""\$\$(?P<shown>(?:\\.|[^$\\]){{1,{LONGEST}}}+)\$\$"""
_formula = regex.compile(rf"{_begin}(?:{_shown}|{_inline})(?!(?!th\b)[\p{{Latin}}\p{{N}}_${{(@])", regex.V1)
_named = regex.compile(r"\\(?:text\w*|math\w+|operatorname\*?|begin|end|mbox|label|tag)\s*\{[^{}]*\}|\\[a-zA-Z]+|\\.")
_function = regex.compile(r"\b(?:sin|cos|tan|cot|log|ln|exp|min|max|lim|sup|inf|mod|det|gcd|dim)\b")
_sign = regex.compile(r"[\\^_{}*·∞\p{Sm}]")
_other_script = regex.compile(r"[\p{L}--[\p{Latin}\p{Greek}\p{Common}]]", regex.V1)
_sentence = regex.compile(r"\p{L}{2,}[,;]?\s+\p{L}{2,}|^\s*\d.*\s\p{L}{2,}", regex.DOTALL)
_word = regex.compile(r"\"|\p{Ll}{3,}|\p{L}{4,}|^\s+\p{L}+\s+$|^\s*\d.*\s", regex.DOTALL)
_block = math_block_dollar(allow_labels=False, allow_blank_lines=False)


def is_formula(tex: str) -> bool:
    """Return whether a text between dollar signs is a formula. Otherwise it is a part of a sentence or of a program."""
    bare = _function.sub("", _named.sub("", tex))
    if len(tex) > LONGEST or "$$" in tex or _other_script.search(bare) or _sentence.search(bare):
        return False
    return bool(_sign.search(tex)) or _word.search(bare) is None


def inline_formula(state: StateInline, silent: bool) -> bool:
    """Read a formula in a line."""
    if state.src[state.pos] != "$":
        return False
    found = _formula.match(state.src, state.pos)
    if not found or "://" in _word_before(state) or not is_formula(tex := found["shown"] or found["inline"]):
        return False
    if not silent:
        token = state.push("math_block" if found["shown"] else "math_inline", "math", 0)
        token.content = tex
    state.pos = found.end()
    return True


def _word_before(state: StateInline) -> str:
    return state.src[max(state.src.rfind(space, 0, state.pos) for space in " \n") + 1 : state.pos]


def block_formula(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a formula in its own lines."""
    if not state.src.startswith("$$", state.bMarks[start] + state.tShift[start]):  # faster
        return False
    if not _block(state, start, min(end, start + MOST_LINES), silent):
        return False
    is_meant = is_formula(state.tokens[-1].content)
    if silent or not is_meant:
        state.tokens.pop()
        state.line = start
    return is_meant


def source_of(token: Any) -> str:
    """Return a formula as it was typed."""
    sign = "$$" if token.type == "math_block" else "$"
    return f"{sign}{token.content}{sign}"
