"""Whether an act takes little of the processor, on a machine that is as quick as this one is now.

A bound in seconds says something about the machine. So where it is not kept, the machine is measured beside the act, by
work of the same kind that never changes.
"""

import re
import time
from collections.abc import Callable

USUAL_SECONDS = 0.0036
"""What `_known_work` takes on the machine for which bounds are written down."""
TIMES = 3

_TEXT = "".join(f"word{n} *word* [a](b) `c` " for n in range(200))
_MARKS = re.compile(r"[*`\[\]()]|\w+")


def is_quick(act: Callable[[], object], seconds: float) -> bool:
    """Whether it takes less time of this thread than so many seconds are on the usual machine."""
    taken = []
    for _ in range(TIMES):  # the machine may be busy, so that only the quickest says something
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
