"""Database writes that fail: before the write, after it, or all from one on, as when a process dies."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import mongomock.collection
import pymongo.collection
import pytest
from pymongo.errors import AutoReconnect

WRITES = (
    "insert_one",
    "update_one",
    "update_many",
    "delete_one",
    "delete_many",
    "find_one_and_update",
    "find_one_and_delete",
)
MODES = ("before", "after", "dead")
"""The write fails; it succeeds but its answer is lost; it and all later writes fail."""


class Writes:
    """Counts the writes of both databases while it is armed, and makes one write fail, or all from one on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._mode = ""
        self._left = 0
        self.has_failed = False
        for kind in (mongomock.collection.Collection, pymongo.collection.Collection):
            for name in WRITES:
                monkeypatch.setattr(kind, name, self._watched(getattr(kind, name)))

    @contextmanager
    def failing(self, number: int, mode: str) -> Iterator[None]:
        """Make the write with this number fail, counted from 1."""
        self._mode, self._left, self.has_failed = mode, number, False
        try:
            yield
        finally:
            self._mode = ""

    def _watched(self, write: Any) -> Any:
        def watched(*arguments: Any, **options: Any) -> Any:
            if not self._mode or not self._is_turn():
                return write(*arguments, **options)
            self.has_failed = True
            if self._mode == "after":
                write(*arguments, **options)
            raise AutoReconnect("the connection was lost")

        return watched

    def _is_turn(self) -> bool:
        self._left -= 1
        return self._left == 0 or (self._left < 0 and self._mode == "dead")
