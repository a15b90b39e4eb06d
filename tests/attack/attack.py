"""What an attack is: a function that tries something on a site and tells what it opened, under an id and a line."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from tests.attack.person import Person
from tests.attack.site import Site

Severity = Literal["high", "medium", "low", "held"]
SEVERITIES: tuple[Severity, ...] = ("high", "medium", "low", "held")
Made = TypeVar("Made")


class NotTried(Exception):
    """This attack cannot be made here; the text says why."""


class Outcome(msgspec.Struct):
    """What became of an attack."""

    tries: int
    opened: list[str]
    """What it got that it should not have, one line each; nothing where the room held."""
    figure: str = ""


class Attack(msgspec.Struct, frozen=True):
    """One attack, with the settings that it needs; `is_alone`: on a site of its own; `is_brief`: in `make test`."""

    id: str
    title: str
    severity: Severity
    do: Callable[["Ground"], Outcome]
    settings: dict[str, str]
    is_alone: bool
    is_remote: bool
    is_brief: bool


ATTACKS: dict[str, Attack] = {}


def attack(
    id: str,
    severity: Severity,
    *,
    settings: Mapping[str, str] | None = None,
    is_alone: bool = False,
    is_remote: bool = False,
    is_brief: bool = True,
) -> Callable[[Callable[["Ground"], Outcome]], Callable[["Ground"], Outcome]]:
    """Enter an attack into the list; `is_remote`: `--url` can make it."""

    def enter(do: Callable[["Ground"], Outcome]) -> Callable[["Ground"], Outcome]:
        assert do.__doc__
        title = do.__doc__.splitlines()[0].rstrip(".")
        ATTACKS[id] = Attack(id, title, severity, do, dict(settings or {}), is_alone, is_remote, is_brief)
        return do

    return enter


class Ground:
    """A site, the people whom attacks act as, and what else they may start; one attack after the other."""

    def __init__(self, site: Site, folder: Path, *, is_long: bool = False, mutation: str = "") -> None:
        self.site = site
        self.folder = folder
        self.is_long = is_long
        self.mutation = mutation
        self._numbers: dict[str, int] = {}
        self._administrator: Person | None = None

    @property
    def administrator(self) -> Person:
        """The first account of the site, which is its administrator."""
        if not self.site.is_ours:
            raise NotTried("it needs the site's administrator")
        if self._administrator is None:
            self._administrator = Person(self.site, "alice").register(invite=self.site.first_code)
        return self._administrator

    def person(self, name: str, display_name: str = "") -> Person:
        """Somebody new, registered and no administrator; their user name is like `name`."""
        if self.site.is_ours:
            assert self.administrator
        person = Person(self.site, f"{name}{self.site.next_number()}", display_name)
        return person.register()

    def choose(self, short: Made, long: Made) -> Made:
        """One of two, by the form of the run."""
        return long if self.is_long else short

    @contextlib.contextmanager
    def start(self, name: str, **settings: str) -> Iterator[Site]:
        """A site of the attack's own, not yet known to serve."""
        if not self.site.is_ours:
            raise NotTried("it needs a server of its own")
        number = self._numbers[name] = self._numbers.get(name, 0) + 1
        site = Site.start(self.folder / f"{name}{number}", settings, mutation=self.mutation)
        try:
            yield site
        finally:
            site.stop()
