"""Notices: changes that connections with cached state must learn about."""

from typing import Any

import msgspec


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """That something changed which connections remember: `user` and `room` are ids, `data` is what the kind needs."""

    kind: str
    user: str | None = None
    room: str | None = None
    data: dict[str, Any] = {}
