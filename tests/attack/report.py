"""Say what an attack met, one line each, and what that comes to."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from tests.attack.attack import Attack, Outcome

SHOWN = 3


class Result(msgspec.Struct):
    """An attack, and what became of it; without an outcome it was not tried."""

    attack: Attack
    seconds: float
    outcome: Outcome | None = None
    reason: str = ""
    is_broken: bool = False
    """Whether it came to grief by itself."""

    @property
    def verdict(self) -> str:
        """In one word or two."""
        if self.outcome is None:
            return "BROKEN" if self.is_broken else "not tried"
        return "OPENED" if self.outcome.opened else "held"

    @property
    def is_bad(self) -> bool:
        """Whether somebody has to look at it."""
        return self.verdict in {"OPENED", "BROKEN"}


def line(result: Result) -> str:
    """The line of one attack, and where it opened something, what."""
    outcome = result.outcome
    tries = outcome.tries if outcome else 0
    figure = outcome.figure if outcome else result.reason
    name = f"{result.attack.id:<22} {result.attack.severity:<6} {result.verdict:<9}"
    told = f"{name} {tries:>5} tries {result.seconds:>5.1f} s  {result.attack.title}"
    if figure:
        told += f" ({figure})"
    opened = outcome.opened if outcome else []
    more = [f"{len(opened) - SHOWN} more"] if len(opened) > SHOWN else []
    return "\n".join([told, *(f"    {each[:300]}" for each in [*opened[:SHOWN], *more])])


def total(results: Sequence[Result]) -> str:
    """What all of it comes to."""
    verdicts = Counter(result.verdict for result in results)
    tries = sum(result.outcome.tries for result in results if result.outcome)
    return (
        f"{len(results)} attacks, {tries} tries: {verdicts['held']} held, {verdicts['OPENED']} opened something, "
        f"{verdicts['not tried']} not tried, {verdicts['BROKEN']} broken"
    )
