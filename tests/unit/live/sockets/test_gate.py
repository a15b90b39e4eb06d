"""Open connections, counted."""

import pytest

from chatroom.base.errors import Refused
from chatroom.live.sockets.gate import Gate, Limits

LIMITS = Limits(connections=0, connections_per_user=0, connections_per_address=2, rooms_per_connection=0)


def test_a12_a_64_is_one_address() -> None:
    """A12."""
    gate = Gate(LIMITS)
    with gate.address("2001:db8:1:2::1"), gate.address("2001:db8:1:2::2"):
        with pytest.raises(Refused), gate.address("2001:db8:1:2::3"):
            pass
        with gate.address("2001:db8:1:3::1"):
            pass
    with gate.address("2001:db8:1:2::3"):
        pass
