"""Highlight code: mark the keywords, strings and comments of a known language.

The result is the escaped text, in spans of known classes. It is empty if highlighting takes too long.
"""

import time
from collections.abc import Callable
from functools import cache
from html import escape

from pygments.lexer import Lexer
from pygments.lexers import find_lexer_class, get_all_lexers
from pygments.token import STANDARD_TYPES, _TokenType
from pygments.util import ClassNotFound

from chatroom.messages.markdown.mathml import BLOCK, INLINE, make_mathml

LANGUAGES = {
    "Bash", "C", "C#", "C++", "CSS", "Dart", "Diff", "Docker", "Elixir", "Go", "HTML", "Haskell", "JSON", "Java",
    "JavaScript", "Kotlin", "Lua", "Makefile", "PHP", "Perl", "PowerShell", "Python", "Ruby", "Rust", "SCSS", "SQL",
    "Scala", "Swift", "TOML", "TypeScript", "XML", "YAML",
}  # fmt: skip
"""The names in Pygments. A running lexer cannot be stopped, so tests run each lexer on slow texts."""

LONGEST = 8000
MOST_SECONDS = 0.05
"""The most seconds of processor time for the code of one message."""
BURST_SECONDS = 0.3
RATE = 0.02
"""The seconds of processor time that one person gets back each second."""
MOST_PEOPLE = 10_000

CLASSES = {"k", "kt", "nf", "nc", "nb", "nd", "nt", "na", "nv", "s", "m", "c", "gd", "gi", "gh"}
"""The token types with a colour, by the short names of Pygments. Their subtypes have the same colour."""


Highlight = Callable[[str, str], str]
"""A function that makes HTML from code and its language. It returns "" for code without highlighting.

A formula is code in one of two languages of `chatroom.messages.markdown.mathml`.
"""


class Colours:
    """Limit the processor time for each person's code. Beyond the limit, code is shown without highlighting."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}
        """By person: the seconds left, and the time of this count. It needs no lock, because a race changes little."""

    def of(self, person_id: str) -> Highlight:
        """Return the function that highlights the code of a message by this person."""
        left = min(self.left(person_id), MOST_SECONDS)

        def highlight_within(code: str, language: str) -> str:
            nonlocal left
            began = time.thread_time()
            html = highlight(code, language, left) if left > 0 else ""
            used = time.thread_time() - began
            left -= used
            self._take(person_id, used)
            return html

        return highlight_within

    def left(self, person_id: str) -> float:
        """Return a person's remaining processor time in seconds. It is negative if highlighting took too long."""
        seconds, at = self._left.get(person_id, (BURST_SECONDS, 0.0))
        return min(BURST_SECONDS, seconds + RATE * (self._clock() - at))

    def _take(self, person_id: str, used: float) -> None:
        if person_id not in self._left and len(self._left) >= MOST_PEOPLE:
            self._left = {id: kept for id, kept in list(self._left.items()) if self.left(id) < BURST_SECONDS}
        self._left[person_id] = (self.left(person_id) - used, self._clock())


def highlight(code: str, language: str, most_seconds: float | None = None) -> str:
    """Highlight code as HTML. Return "" for an unknown language, or if highlighting takes too long."""
    if language in {INLINE, BLOCK}:
        return make_mathml(code, language)
    lexer_class = _find_lexer(language.lower()) if len(code) <= LONGEST else None
    if lexer_class is None:
        return ""
    lexer = lexer_class(stripnl=False, ensurenl=False)
    give_up_at = time.thread_time() + (MOST_SECONDS if most_seconds is None else most_seconds)
    pieces: list[str] = []
    open_class = ""
    length = 0
    for kind, text in lexer.get_tokens(code):
        if time.thread_time() > give_up_at:
            return ""
        length += len(text)
        wanted = open_class if text.isspace() else _class_of(kind)
        if wanted != open_class:
            pieces.append(("</span>" if open_class else "") + (f'<span class="{wanted}">' if wanted else ""))
            open_class = wanted
        pieces.append(escape(text))
    pieces.append("</span>" if open_class else "")
    # A lexer can drop a byte order mark or change line ends. Then show the code without highlighting.
    return "".join(pieces) if length == len(code) else ""


@cache
def _class_of(kind: _TokenType) -> str:
    while kind.parent is not None:
        if STANDARD_TYPES.get(kind) in CLASSES:
            return STANDARD_TYPES[kind]
        kind = kind.parent
    return ""


def _find_lexer(language: str) -> type[Lexer] | None:
    name = _names().get(language)
    try:
        return find_lexer_class(name) if name else None
    except ClassNotFound:
        return None


@cache
def _names() -> dict[str, str]:
    """Map each name and alias of a language to the language's name in Pygments."""
    found = get_all_lexers(plugins=False)
    return {word.lower(): name for name, words, _, _ in found if name in LANGUAGES for word in (name, *words)}
