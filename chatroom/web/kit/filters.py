"""Template filters: a person's colour, a full stop, a static address, a value for a script."""

import zlib
from functools import lru_cache
from typing import Any

import msgspec
from flask import request, url_for

HUES = 12


def hue(user_id: str) -> int:
    """The number of a person's colour. There are twelve colours. static/state/kit/text.js computes the same number."""
    return zlib.crc32(user_id.encode()) % HUES


def full_stop(text: str) -> str:
    """The full stop of a sentence that ends with `text`, unless the text has one, as in `Linus T.`"""
    return "" if text.rstrip().endswith((".", "!", "?", "…")) else "."


def static_url(filename: str) -> str:
    """The address of a static file."""
    return _static_url(filename, root=request.script_root)


@lru_cache(maxsize=512)
def _static_url(filename: str, *, root: str) -> str:  # noqa: ARG001  only for the key of the cache
    return url_for("static", filename=filename)


def as_json(value: Any) -> str:
    """Encode a typed value for a data attribute that a script reads."""
    return msgspec.json.encode(value).decode()
