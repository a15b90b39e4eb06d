"""Which fault comes when: made from a seed alone, so that a run can be planned again.

Two lanes go side by side: one fault at a time for the database, one for the app processes, clients and network.
Every kind is dealt before one comes again.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec

Lane = Literal["database", "app"]

KINDS: dict[Lane, dict[str, tuple[float, float]]] = {
    "database": {
        "kill the primary": (0.5, 4.0),
        "kill a secondary": (0.5, 4.0),
        "kill all nodes": (0.5, 3.0),
        "freeze the primary": (3.0, 14.0),
        "freeze a secondary": (2.0, 10.0),
        "freeze two nodes": (3.0, 12.0),
        "freeze all nodes": (4.0, 20.0),
        "depose a lonely primary": (1.5, 4.0),
        "step down": (0.0, 0.0),
        "rolling restart": (0.5, 1.0),
        "partition the primary": (4.0, 14.0),
        "partition the app from the primary": (4.0, 14.0),
        "slow database": (5.0, 12.0),
        "scatter the database's answers": (3.0, 8.0),
        "kill the change streams": (2.0, 8.0),
        "reset the database's connections": (0.0, 0.0),
        "fill a disk": (2.0, 6.0),
        "fill all disks": (2.0, 5.0),
        "restart an app without a database": (10.0, 16.0),
    },
    "app": {
        "kill an app": (0.3, 3.0),
        "kill an app in a burst": (0.3, 2.0),
        "freeze an app": (2.0, 12.0),
        "stop an app": (0.3, 1.0),
        "jump the clock ahead": (4.0, 10.0),
        "jump the clock back": (4.0, 10.0),
        "freeze clients": (3.0, 12.0),
        "cut connections in a frame": (0.0, 0.0),
        "cut answers": (0.0, 0.0),
        "drip": (3.0, 8.0),
        "delay and reorder": (3.0, 8.0),
        "black hole": (3.0, 10.0),
        "swallow answers": (2.0, 6.0),
        "reset all connections": (0.0, 0.0),
        "reconnect storm": (0.0, 0.0),
    },
}
"""For how long each lasts, in seconds: at least, at most."""
DISK = {"fill a disk", "fill all disks"}
PAUSE: dict[Lane, tuple[float, float]] = {"database": (4.0, 12.0), "app": (2.0, 7.0)}

SHORT: dict[Lane, Sequence[tuple[str, float]]] = {
    "database": (("kill the primary", 1.0), ("freeze the primary", 4.0), ("freeze two nodes", 3.0)),
    "app": (
        ("kill an app in a burst", 0.5),
        ("cut connections in a frame", 0.0),
        ("freeze clients", 3.0),
        ("cut answers", 0.0),
        ("reconnect storm", 0.0),
    ),
}
BRIEF: dict[Lane, Sequence[tuple[str, float]]] = {
    "database": (("kill the primary", 1.0),),
    "app": (("kill an app in a burst", 0.5), ("freeze clients", 1.0), ("cut answers", 0.0)),
}


class Planned(msgspec.Struct, frozen=True):
    """A fault to come: the pause after the one before, and how long it lasts."""

    lane: Lane
    kind: str
    pause_seconds: float
    lasts_seconds: float
    seed: int


def plan(
    seed: int, lane: Lane, *, only: frozenset[str] = frozenset(), leave_out: frozenset[str] = frozenset()
) -> Iterator[Planned]:
    """The faults of a lane, without end; none, when all are left out."""
    rng = random.Random(f"{seed} {lane}")
    kinds = [kind for kind in KINDS[lane] if kind not in leave_out and (not only or kind in only)]
    while kinds:
        deck = list(kinds)
        rng.shuffle(deck)
        for kind in deck:
            lasts = rng.uniform(*KINDS[lane][kind])
            yield Planned(lane, kind, rng.uniform(*PAUSE[lane]), lasts, rng.getrandbits(32))


def short_plan(seed: int, lane: Lane, faults: Mapping[Lane, Sequence[tuple[str, float]]] = SHORT) -> Iterator[Planned]:
    """A few faults, each once, for the short form."""
    rng = random.Random(f"{seed} {lane}")
    deck = list(faults[lane])
    rng.shuffle(deck)
    for kind, lasts in deck:
        yield Planned(lane, kind, rng.uniform(0.5, 2.0), lasts, rng.getrandbits(32))
