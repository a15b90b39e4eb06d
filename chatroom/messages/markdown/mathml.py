"""Convert a formula from TeX to MathML, without macros, links, styles, colours and sizes.

The sanitizer allows only `TAGS` with their `ATTRIBUTES`, so a browser loads and runs nothing for a formula.
"""

import re
from collections.abc import Iterator
from html import unescape
from xml.etree.ElementTree import Element, tostring

import regex
from latex2mathml.converter import convert_to_element

LONGEST = 1000
"""The most characters of a formula. The conversion takes about 20 µs for each."""
DEEPEST = 40
TAGS = {
    "math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mstyle", "mpadded", "mphantom", "menclose", "mfrac", "msqrt",
    "mroot", "msub", "msup", "msubsup", "munder", "mover", "munderover", "mtable", "mtr", "mtd",
}  # fmt: skip
ATTRIBUTES = {
    "accent", "columnalign", "columnlines", "columnspacing", "depth", "display", "displaystyle", "fence", "form",
    "height", "largeop", "linebreak", "linethickness", "lspace", "mathvariant", "maxsize", "minsize",
    "movablelimits", "notation", "rowlines", "rowspacing", "rspace", "scriptlevel", "separator", "stretchy", "width",
}  # fmt: skip
"""Allowed in all elements except `mpadded`, whose attributes draw a formula over the text around it."""
LENGTHS = {"depth", "height", "linethickness", "width"}
LENGTH = re.compile(r"0?\.\d{1,3}e[mx]|\d(?:\.\d{1,3})?(?:e[mx]|p[tx])?|[a-z]{4,6}mathspace")
"""Lengths that a person may choose: a few lines, and not negative."""
CHILDREN = {"mfrac": 2, "mroot": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2, "msubsup": 3, "munderover": 3}
INLINE, BLOCK = "an inline formula", "a formula in its own lines"
"""These are languages of code for `Highlight`. A block of code cannot name a language with spaces."""

_macro = re.compile(r"\\(?:(?:re)?new[a-z]+|[egx]?def|let|DeclareMathOperator|href|style|class|unicode|verb)\b")
_environment = re.compile(r"\\(begin|end)\{(aligned|align|eqnarray\*?|gather\*?|gathered|multline\*?|split)\}")
_visible = regex.compile(r"[^\s\p{C}\p{Default_Ignorable_Code_Point}]")


def make_mathml(tex: str, display: str) -> str:
    """Return the MathML of a formula (`INLINE` or `BLOCK`), or "" if the formula cannot be converted completely."""
    if len(tex) > LONGEST or _macro.search(tex):
        return ""
    tex = re.sub(r"(?<!\\)%", r"\\%", _environment.sub(_known_environment, tex))  # otherwise `%` begins a comment
    if display == BLOCK and r"\\" in tex and r"\begin" not in tex:
        tex = rf"\begin{{align*}}{tex}\end{{align*}}"
    try:
        math = convert_to_element(tex, display="block" if display == BLOCK else "inline")
    except Exception:  # noqa: BLE001  the library raises many kinds of errors for a formula with a mistake
        return ""
    del math.attrib["xmlns"]
    parts = list(_parts(math, 0))
    is_complete = all(_is_complete(part) and depth <= DEEPEST for part, depth in parts)
    return tostring(math, encoding="unicode") if is_complete and _visible.search(_shown_text(math)) else ""


def _shown_text(element: Element) -> str:
    """Return the text of a formula, without the parts that only take up space (`\\phantom`)."""
    if element.tag == "mphantom":
        return ""
    return (element.text or "") + "".join(map(_shown_text, element))


def _known_environment(match: re.Match[str]) -> str:
    return rf"\{match[1]}{{{'align*' if match[2][0] in 'aes' else 'matrix'}}}"


def _parts(element: Element, depth: int) -> Iterator[tuple[Element, int]]:
    """Yield the elements of a formula with their depth. The library writes signs as `&#x...;`."""
    if element.text:
        element.text = unescape(element.text)
    yield element, depth
    for child in element:
        yield from _parts(child, depth + 1)


def _is_complete(part: Element) -> bool:
    """Return whether a part has all its parts. The library copies unknown commands, and a `&` outside a table."""
    text = part.text or ""
    is_known = part.tag == "mtext" or not (text.startswith("\\") or text == "&")
    return is_known and len(part) == CHILDREN.get(part.tag, len(part))
