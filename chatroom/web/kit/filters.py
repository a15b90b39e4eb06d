"""Template filters: a person's colour, a full stop, links in a text, a value for a script."""

import re
import zlib
from typing import Any

import msgspec
from markupsafe import Markup, escape

HUES = 12
NEVER = r"\s<>\"\u200e\u200f\u202a-\u202e\u2066-\u2069"
ADDRESS = re.compile(rf"(https?://[^{NEVER}]*[^{NEVER}.,;:!?'()\[\]])", re.IGNORECASE)
"""An address in a text, without the punctuation that follows it. Must match `ADDRESS` in static/state/kit/links.js."""


def hue(user_id: str) -> int:
    """The number of a person's colour. There are twelve colours. static/state/kit/text.js computes the same number."""
    return zlib.crc32(user_id.encode()) % HUES


def full_stop(text: str) -> str:
    """The full stop of a sentence that ends with `text`, unless the text has one, as in `Linus T.`"""
    return "" if text.rstrip().endswith((".", "!", "?", "…")) else "."


def with_links(text: str) -> Markup:
    """Show the addresses in a text as links."""
    pieces = ADDRESS.split(text)
    return Markup().join(_link_to(piece) if at % 2 else escape(piece) for at, piece in enumerate(pieces))


def _link_to(address: str) -> Markup:
    return Markup('<a href="{0}" rel="noopener nofollow">{0}</a>').format(address)


def as_json(value: Any) -> str:
    """Encode a typed value for a data attribute that a script reads."""
    return msgspec.json.encode(value).decode()
