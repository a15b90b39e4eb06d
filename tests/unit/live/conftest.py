import pytest

from chatroom.live import engine
from chatroom.live.sockets import endpoint as socket
from chatroom.live.writing import rivals
from tests.unit.live.harness import Ticks
from tests.waiting import PATIENCE_SECONDS


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use long time-outs, so that a slow machine does not end a handshake, a shutdown or a wait for a turn."""
    monkeypatch.setattr(socket, "HANDSHAKE_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(engine, "FINISH_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(engine, "LEAVE_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(rivals, "CONTESTED_SECONDS", PATIENCE_SECONDS)


@pytest.fixture
def tick(monkeypatch: pytest.MonkeyPatch) -> Ticks:
    """A timer that fires when the test says so."""
    return Ticks(monkeypatch)
