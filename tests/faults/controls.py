"""Runs that must fail: each breaks the product, or a client, in one way, under the faults that bring it to light."""

from tests.faults.run import Options
from tests.faults.schedule import Lane, Planned

PROMISES = {
    "counter_then_insert": "I5 no gap, no double",
    "trusting_tail": "I5 no gap, no double",
    "one_node_writes": "I1 durable",
    "renaming_client": "I2 exactly once",
}
"""Which promise the checker must find broken, among others."""


def control(name: str, seed: int) -> Options:
    """The run for a mutation."""
    lanes: dict[Lane, tuple[Planned, ...]]
    if name == "one_node_writes":
        lanes = {"database": (_fault("database", "depose a lonely primary", 2.0, seed),)}
    elif name == "trusting_tail":
        # The stream of the other's changes has to be late for its order to matter.
        lanes = {"database": (_fault("database", "kill the change streams", 6.0, seed),)}
    elif name == "renaming_client":
        lanes = {"app": tuple(_fault("app", "cut answers", 0.0, seed + number) for number in range(3))}
    else:
        lanes = {"app": (_fault("app", "leave alone", 3.0, seed),)}
    mutation = "" if name == "renaming_client" else name
    return Options(
        seed=seed,
        seconds=30,
        chatters=8,
        pollers=1,
        seconds_between=0.15,
        warm_up_seconds=0.3,
        after_seconds=0.5,
        quiet_seconds=0.3,
        mutation=mutation,
        renames=name == "renaming_client",
        lanes=lanes,
    )


def _fault(lane: Lane, kind: str, seconds: float, seed: int) -> Planned:
    return Planned(lane, kind, 0.5, seconds, seed)
