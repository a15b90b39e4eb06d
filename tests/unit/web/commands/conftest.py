"""The commands, run in the test's own process."""

from collections.abc import Iterator

import pytest

from chatroom.services import Services


@pytest.fixture(autouse=True)
def open_services(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A command ends by closing the database, which in memory would be its end."""
    monkeypatch.setattr(Services, "close", lambda self: None)
    return
