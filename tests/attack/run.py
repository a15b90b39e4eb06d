"""Run attacks: each on a site with the settings that it needs, which others share where it leaves it as it was."""

import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.attack import attacks as _attacks  # noqa: F401  which enters them into the list
from tests.attack.attack import ATTACKS, Attack, Ground, NotTried, Outcome
from tests.attack.report import Result
from tests.attack.site import Site


class Grounds:
    """The sites of a run, by their settings. Use it as a context: its end stops them."""

    def __init__(self, folder: Path, *, url: str = "", is_long: bool = False, mutation: str = "") -> None:
        self._folder = folder
        self._url = url
        self._is_long = is_long
        self._mutation = mutation
        self._shared: dict[tuple[tuple[str, str], ...], Ground] = {}
        self._stack = ExitStack()
        self._started = 0

    def __enter__(self) -> "Grounds":
        return self

    def __exit__(self, *_: object) -> None:
        for ground in self._shared.values():
            ground.site.begin_stop()  # together, not one after the other
        self._stack.close()

    def do(self, attack: Attack) -> Result:
        """Make one attack."""
        began = time.monotonic()
        try:
            if self._url and not attack.is_remote:
                raise NotTried("it needs a server of its own")
            outcome = self._attack(attack)
        except NotTried as reason:
            return Result(attack, time.monotonic() - began, reason=str(reason))
        except Exception as error:  # noqa: BLE001  the others are made all the same
            return Result(attack, time.monotonic() - began, reason=_explain(error), is_broken=True)
        return Result(attack, time.monotonic() - began, outcome)

    def _attack(self, attack: Attack) -> Outcome:
        if not attack.is_alone:
            settings = tuple(sorted(attack.settings.items()))
            if settings not in self._shared:
                self._shared[settings] = self._ground(attack, self._stack)
            return attack.do(self._shared[settings])
        with ExitStack() as stack:
            return attack.do(self._ground(attack, stack))

    def _ground(self, attack: Attack, stack: ExitStack) -> Ground:
        self._started += 1
        folder = self._folder / f"site{self._started}"
        site = Site(self._url) if self._url else Site.start(folder / "site", attack.settings, mutation=self._mutation)
        self._stack.callback(site.stop)
        stack.callback(site.begin_stop)
        return Ground(site.wait_until_ready(), folder, is_long=self._is_long, mutation=self._mutation)


def _explain(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno}: {str(error)[:300]}"


def run(grounds: Grounds, chosen: Sequence[Attack] = tuple(ATTACKS.values())) -> Iterator[Result]:
    """Make these attacks, one after the other."""
    for each in chosen:
        yield grounds.do(each)
