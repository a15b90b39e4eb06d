import pytest

from tests.unit.live.harness import Ticks


@pytest.fixture
def tick(monkeypatch: pytest.MonkeyPatch) -> Ticks:
    """The second that passes when the test says so."""
    return Ticks(monkeypatch)
