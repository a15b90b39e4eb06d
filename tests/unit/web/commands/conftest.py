"""Run commands in the test's own process."""

from collections.abc import Iterator

import pytest

from chatroom.services import Services


@pytest.fixture(autouse=True)
def open_services(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep the database open: a command closes it at its end, which would lose a database in memory."""
    monkeypatch.setattr(Services, "close", lambda self: None)
    return
