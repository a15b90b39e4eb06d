import pytest

from chatroom.live import engine
from chatroom.live.sockets import endpoint as socket
from chatroom.live.writing import rivals
from tests.unit.live.harness import Ticks
from tests.waiting import PATIENCE_SECONDS


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that stands still for some seconds ends no handshake, no goodbye, and no contest."""
    monkeypatch.setattr(socket, "HANDSHAKE_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(engine, "FINISH_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(engine, "LEAVE_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(rivals, "CONTESTED_SECONDS", PATIENCE_SECONDS)


@pytest.fixture
def tick(monkeypatch: pytest.MonkeyPatch) -> Ticks:
    """The second that passes when the test says so."""
    return Ticks(monkeypatch)
