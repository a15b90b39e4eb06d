"""Check that a function takes little processor time, relative to the current speed of the machine.

A bound in seconds depends on the machine. So if the bound is exceeded, a fixed work of the same kind is measured as
well, and the two are compared.
"""

import re
import time
from collections.abc import Callable

USUAL_SECONDS = 0.0036
"""The duration of `_known_work` on the machine for which the bounds are written."""
TIMES = 3

_TEXT = "".join(f"word{n} *word* [a](b) `c` " for n in range(200))
_MARKS = re.compile(r"[*`\[\]()]|\w+")


def is_quick(act: Callable[[], object], seconds: float) -> bool:
    """Whether the function takes less time of this thread than this number of seconds on the usual machine."""
    taken = []
    for _ in range(TIMES):  # on a busy machine, only the fastest run is meaningful
        taken.append(_seconds(act))
        if taken[-1] < seconds:
            return True
    return min(taken) < seconds * max(_seconds(_known_work) for _ in range(TIMES)) / USUAL_SECONDS


def _seconds(act: Callable[[], object]) -> float:
    began = time.thread_time()
    act()
    return time.thread_time() - began


def _known_work() -> None:
    for _ in range(8):
        found: dict[str, int] = {}
        for mark in _MARKS.finditer(_TEXT):
            found[mark[0]] = found.get(mark[0], 0) + 1
