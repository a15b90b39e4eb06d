"""Markdown's block rules, without the blocks that people do not mean: `28. November`, `* * *` and `>_<` are texts."""

import re

import regex
from markdown_it.rules_block import StateBlock, blockquote, heading, list_block, table
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

TASK = re.compile(r"\[([ xX])\] ")
BOXES = {" ": "☐ ", "x": "☑ ", "X": "☑ "}
MOST_CELLS = 2000
ALIGNMENT = re.compile(r"text-align:(center|right)")

_ruler = re.compile(r"[*+-](?: *[*+-])+ *")
_ruled_text = re.compile(r"(?:[*+-] +){3}|\*(?: +[\d*/,-]+){4}(?:\s|\Z)")
"""A text after signs, `* * * News * * *`, and the times of cron, `* 3 * * 1`."""
_number = re.compile(r"(\d{1,9})[.)](?:\s|\Z)")
_numbered_line = re.compile(r"[> \t]*\d{1,9}[.)](?:\s|\Z)")
_empty_item = re.compile(r"(?:[*+-]|\d{1,9}[.)])[ \t]*")
_face = regex.compile(r">[^\p{L}\p{N}\s>][^\p{L}\p{N}\s]{0,4}\Z|>[_.:;^-]{1,2}[<>()^DO](?:\s|\Z)")


def lists(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a list, but no line of signs, and no single number other than 1: that is a date or the end of a sentence."""
    line = _line(state, start)
    if _ruler.fullmatch(line) or _ruled_text.match(line) or (_empty_item.fullmatch(line) and _is_last(state, start)):
        return False
    number = _number.match(line)
    if number and int(number[1]) > 1 and not any(_is_numbered(state, each) for each in (start - 1, start + 1)):
        return False
    return list_block(state, start, end, silent)


def tables(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a table, but none with too many cells: a short text can declare thousands of empty cells."""
    columns = _line(state, start).count("|")
    if columns * (end - start) > MOST_CELLS and table(state, start, end, True):
        rows = next((number for number in range(start, end) if state.isEmpty(number)), end) - start
        if columns * rows > MOST_CELLS:
            return False
    return table(state, start, end, silent)


def headings(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a heading that has a text."""
    return bool(_line(state, start).strip("# \t")) and heading(state, start, end, silent)


def quotes(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a quotation, but no face of signs, such as `>_<`, and no `>` alone."""
    line = _line(state, start)
    is_sign = _face.match(line) or (not line.strip("> \t") and _is_last(state, start))
    return not is_sign and blockquote(state, start, end, silent)


def _is_last(state: StateBlock, number: int) -> bool:
    """Return whether no text follows in the next line."""
    return number + 1 >= state.lineMax or state.isEmpty(number + 1)


def _is_numbered(state: StateBlock, number: int) -> bool:
    if not 0 <= number < state.lineMax:
        return False
    begin = state.src.rfind("\n", 0, state.bMarks[number]) + 1  # `bMarks` is after the number while an item is read
    return _numbered_line.match(state.src, begin) is not None


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def shape(state: StateCore) -> None:
    """Make headings small, show the boxes of task lists, and align the columns of tables by classes."""
    for place, token in enumerate(state.tokens):
        if token.type in {"heading_open", "heading_close"}:
            token.tag = "h5" if token.tag in {"h1", "h2"} else "h6"
        elif token.type in {"th_open", "td_open"} and (found := ALIGNMENT.match(str(token.attrs.pop("style", "")))):
            token.attrSet("class", f"align-{found[1]}")
        elif token.type == "list_item_open":
            _show_box(token, state.tokens[place + 2] if place + 2 < len(state.tokens) else None)


def _show_box(item: Token, text: Token | None) -> None:
    if text is not None and text.type == "inline" and text.children and (box := TASK.match(text.content)):
        token = text.children[0]
        token.content = BOXES[box[1]] + token.content[len(box[0]) :]
        item.attrSet("class", "task")
