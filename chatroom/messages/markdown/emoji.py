"""Emoji and their short codes, such as `:smile:`.

The data is in static/emoji/emoji.json, which tools/make_emoji.py generates and the emoji picker also reads.
"""

import json
import re
from functools import cache
from pathlib import Path

import msgspec

DATA = Path(__file__).resolve().parents[3] / "static" / "emoji" / "emoji.json"
SHORTCODE = re.compile(r":([a-z0-9_+-]{1,60}):")
SHORTCODES = re.compile(rf"(?<![A-Za-z0-9_:/])(?:{SHORTCODE.pattern})+(?![A-Za-z0-9_:/])")
"""Short codes are not part of a word, a time, a ratio, a path or an address: `10:30:45`, `root:x:0`."""
LONGEST = 40
"""The most code points of an emoji. The longest family with skin tones has 10."""

_TONED = re.compile(r"(?<=[^\U0001f3fb-\U0001f3ff\u200d\ufe0f])[\U0001f3fb-\U0001f3ff]")
_AS_PICTURE = "\ufe0f"


class _Known(msgspec.Struct, frozen=True):
    by_code: dict[str, str]
    by_bare_form: dict[str, str]
    with_tones: frozenset[str]


def find_emoji(text: str) -> str | None:
    """Return the emoji that `text` is or names (by a short code without colons), in its usual form; else None."""
    if len(text) > LONGEST:
        return None
    known = _known()
    bare = text.replace(_AS_PICTURE, "")
    if found := known.by_bare_form.get(bare):
        return found
    base, tones = _TONED.subn("", bare)
    if 0 < tones <= 2 and base in known.with_tones:
        return text
    return known.by_code.get(text)


def replace_shortcodes(text: str) -> str:
    """Replace short codes by emoji: `:smile:` becomes 😄. Unknown codes stay as they are."""
    return SHORTCODES.sub(lambda codes: SHORTCODE.sub(_emoji_of, codes[0]), text) if ":" in text else text


def _emoji_of(match: re.Match[str]) -> str:
    return _known().by_code.get(match[1], match[0])


@cache
def _known() -> _Known:
    rows = json.loads(DATA.read_text(encoding="utf-8"))["emoji"]
    return _Known(
        by_code={code: character for character, _, codes, *_ in rows for code in codes.split()},
        by_bare_form={row[0].replace(_AS_PICTURE, ""): row[0] for row in rows},
        with_tones=frozenset(row[0].replace(_AS_PICTURE, "") for row in rows if row[-1]),
    )
