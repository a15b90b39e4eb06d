"""Markdown's inline rules, for texts that people also write without Markdown in mind: paths, prices, arithmetic.

Each function replaces a rule of markdown-it-py, or its library for links.
"""

import html
import re
from typing import Any

import markdown_it.rules_inline
import regex
from linkify_it import LinkifyIt
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter

from chatroom.messages.markdown.emoji import SHORTCODE

ENDINGS = [
    "com", "org", "net", "edu", "gov", "int", "io", "dev", "app", "blog", "wiki", "info", "biz", "cloud", "tech",
    "site", "online", "xyz", "ac", "at", "au", "be", "br", "ca", "ch", "cn", "cz", "de", "dk", "ee", "es", "eu",
    "fi", "fr", "gr", "hk", "hu", "ie", "il", "in", "is", "it", "jp", "kr", "lt", "lu", "lv", "mx", "my", "nl",
    "no", "nz", "pl", "pt", "ro", "ru", "se", "sg", "si", "sk", "th", "tr", "tv", "tw", "ua", "uk", "us", "vn",
    "za", "рф", "co", "me", "gg", "ly", "ai", "to", "gl", "page", "link", "news", "shop", "store", "ir", "ae", "sa",
    "ph", "cl", "pe", "ng", "ke", "pk", "kz", "by", "bg", "hr", "nu",
]  # fmt: skip
"""The top-level domains of links without a scheme. Endings of files, such as `py`, `sh` or `md`, are not among them."""

_ends_a_sentence = {
    ord(sign): " "
    for sign in "\u3001\u3002\uff0c\uff0e\uff1a\uff1b\uff01\uff1f\u2026\uff08\uff09\u300a\u300b\u3008\u3009\u300c\u300d"
    "\u300e\u300f\u3010\u3011\u3014\u3015\uff3b\uff3d\uff5b\uff5d\u201c\u201d\u201e\u2018\u00ab\u00bb\u060c\u061b\u061f"
    "\u06d4\u05be\u05c3\u0964\u0965\u1362\u1363\u104a\u104b\u17d4\u17d5\u0589\uff5e\uff5c\u30fb"
}
"""Signs at which a link ends: the sentence marks, quotation marks and brackets of scripts that use no spaces there."""
LINK = re.compile(r"https?://|mailto:", re.IGNORECASE)
"""The start of a link with a scheme; no other schemes are allowed."""
_address = re.compile(rf"(?:{LINK.pattern})[^|>]*>", re.IGNORECASE)
_after_link = regex.compile(
    r"(?:(?://|(?<![\w.-])www\.)[\w.-]+\.[a-z]{2,63}(?::\d{1,5})?\K(?:[|=+~^$]|[^\p{ASCII}\p{Latin}\p{M}\p{P}](?!\w*\.[a-z]))"
    r"|\|(?=https?://)|~~(?=\s|\Z)|:(?=\s|\Z)"
    r"|(?<=[^\s/=#\p{Regional_Indicator}\u200d])"
    r"[[\p{Extended_Pictographic}\p{Regional_Indicator}]--[\p{ASCII}\xa9\xae]](?!\w*\.[a-z]))",
    regex.IGNORECASE | regex.V1,
)
"""What ends a link: `|`, `~~`, a colon, an emoji, and a symbol or a letter of another script after an ASCII ending."""
_letter_before = regex.compile(rf"[^\p{{ASCII}}](?={LINK.pattern}|www\.)", regex.IGNORECASE)
_path = re.compile(r"(?:[A-Za-z]:\\|\\\\[\w.$-]|%\w+%\\|~\\|\.{1,2}\\|\u00af\\)")
_mark = regex.compile(rf"{SHORTCODE.pattern}|@[\p{{L}}\p{{Nd}}]")
_possible_link = re.compile(r"://|mailto:|www\.|\.[^\s/.]+/", re.IGNORECASE)
_name_goes_on = re.compile(r"\.\w|\(")
_signs_around = re.compile(r"([^\w\s])\1|[/\\][^\w\s]|[^\w\s][/\\]|\(\)|\[\]|<>|><|\{\}")
"""The signs on both sides of a mark that is no markup: `COUNT(*)`, `/*.py`, `^_^`."""
_face = re.compile(r"([*_])[^\w\s*]\1|\*_\*")
_list_sign = re.compile(r"(?:^|\n)[ ]{0,3}(?:\d{1,9})?\Z")
FACES = set("-^*>.<;=~'")
_no_text = re.compile(r"\[\s*\]\(")
_plain = regex.compile(r"[\p{Latin}\p{Greek}\p{Cyrillic}\p{Nd}]")
WITHOUT_SPACES = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
"""A letter of a script that uses no spaces, or attaches words to the next."""


class Links:
    """Find links by a scheme, by `www.`, or by a well-known ending and a path; in the place of `LinkifyIt` in a parser.

    A link ends where the sentence of its script ends.
    """

    def __init__(self) -> None:
        self._library = LinkifyIt(options={"fuzzy_email": False}).tlds(ENDINGS)

    def test(self, text: str) -> bool:
        """Return whether the text may have a link. This takes a hundredth of the time of `match`."""
        return _possible_link.search(text) is not None

    pretest = test

    def match(self, text: str) -> list[Any]:
        """Return the links in a text, in order."""
        return [_secure(each) for each in self._library.match(_separated(text)) or () if _is_meant(each)]

    def match_at_start(self, text: str) -> Any:
        """Return the link with a scheme at the start of a text, or None."""
        return self._library.match_at_start(_separated(text.translate(_ends_a_sentence).split(maxsplit=1)[0]))


def _separated(text: str) -> str:
    """Return a text of the same length, with spaces around the places where a link can be."""
    text = str(_after_link.sub(lambda match: " " * len(match[0]), text))
    if text.isascii():
        return text
    return str(_letter_before.sub(" ", text.translate(_ends_a_sentence)))


def _is_meant(link: Any) -> bool:
    if link.schema:
        return bool(link.schema != "//")
    host, slash, _ = link.raw.partition("/")
    return bool(host.lower().startswith("www.") or slash)


def _secure(link: Any) -> Any:
    """Give an address that was typed without a scheme the scheme that browsers try first."""
    if not link.schema:
        link.url = "https" + link.url.removeprefix("http")
    return link


def escape(state: StateInline, silent: bool) -> bool:
    """Read a backslash before a sign of Markdown as an escape; in a path, keep both as they are."""
    sign = state.src[state.pos + 1 : state.pos + 2]
    if state.src[state.pos] != "\\" or not sign or sign not in "*_~`[]|$-+.)#>:@":
        return False
    if sign in "-+.)#>" and _list_sign.search(state.src, max(0, state.pos - 14), state.pos) is None:
        return False
    if sign in ":@" and _mark.match(state.src, state.pos + 1) is None:
        return False
    if sign == "$" and state.src.count("$") < 2:
        return False
    if not silent:
        token = state.push("literal", "", 0)
        token.content = "\\" + sign if _is_in_path(state) else sign
    state.pos += 2
    return True


def render_literal(_: Any, tokens: Any, index: int, *__: Any) -> str:
    """Render an escaped sign, which is not part of an emoji, a mention or a link."""
    return html.escape(tokens[index].content)


def _is_in_path(state: StateInline) -> bool:
    begin = max(state.src.rfind(space, 0, state.pos) for space in " \n\t") + 1
    return _path.match(state.src, begin) is not None


def autolink(state: StateInline, silent: bool) -> bool:
    """Read `<https://example.com>` as a link; `Grace <grace@example.com>` stays as it is."""
    return _address.match(state.src, state.pos + 1) is not None and markdown_it.rules_inline.autolink(state, silent)


def link(state: StateInline, silent: bool) -> bool:
    """Read `[text](address)` as a link, but only with a text."""
    return not _no_text.match(state.src, state.pos) and markdown_it.rules_inline.link(state, silent)


def emphasis(state: StateInline, silent: bool) -> bool:
    """Add the delimiters of `*` and `_`: not inside a word or a number, but next to letters of Chinese and the like."""
    marker = state.src[state.pos]
    if silent or marker not in "_*":
        return False
    scanned = state.scanDelims(state.pos, marker == "*")
    end = state.pos + scanned.length
    before, after = state.src[state.pos - 1 : state.pos] if state.pos else "", state.src[end : end + 1]
    opens, closes = scanned.can_open, scanned.can_close
    if (_plain.match(before) and _plain.match(after)) or _is_sign(state.src[state.pos : end], before, after):
        opens = closes = False
    elif marker == "_" and _name_goes_on.match(state.src, end):  # __init__.py, __init__()
        closes = False
    elif marker == "*" and (WITHOUT_SPACES.match(before) or WITHOUT_SPACES.match(after)):
        opens, closes = bool(after.strip()), bool(before.strip())
    elif state.src[state.pos : end] == "*":  # *.jpg, photos/*, /* and */
        opens, closes = opens and after not in "./", closes and before != "/"
    opens = opens and _face.match(state.src, state.pos) is None
    for _ in range(scanned.length):
        token = state.push("text", "", 0)
        token.content = marker
        state.delimiters.append(
            Delimiter(ord(marker), scanned.length, len(state.tokens) - 1, end=-1, open=opens, close=closes)
        )
    state.pos = end
    return True


def _is_sign(marks: str, before: str, after: str) -> bool:
    """Return whether markers are in a path (`src/__tests__/`, `a/*.b`), in code (`COUNT(*)`) or in a face (`-_-`)."""
    return (
        _signs_around.fullmatch(before + after) is not None
        or (marks == "__" and not {before, after}.isdisjoint("/\\"))
        or (marks == "_" and before in FACES and after in FACES)
    )
