"""Bring stored data up to date, in numbered steps that one process runs.

A step finds the documents that it must still change. So a step that was interrupted continues, and a step that runs
twice changes nothing the second time.
"""

import logging
import time
from collections.abc import Callable, Sequence

import msgspec

from chatroom import __version__
from chatroom.base.errors import SettingsError, Unavailable
from chatroom.site.background import Lease, Report
from chatroom.site.versions_store import DataVersion, VersionStore

DATA_VERSION = 4
"""The number of steps that this version of the server knows."""
LEASE_SECONDS = 30.0
WAIT_SECONDS = 1.0
LOG_SECONDS = 10.0

Changed = Callable[[int], None]
"""Called after each batch of a step, with the number of changed documents."""

log = logging.getLogger(__name__)


class Step(msgspec.Struct, frozen=True):
    """One change of stored documents.

    `shuts_out` is for a step after which older versions cannot use the data: whether there is anything to change.
    """

    name: str
    run: Callable[[Changed], None]
    shuts_out: Callable[[], bool] | None = None


def ignore(_changed: int) -> None:
    """Take no notice of the progress."""


class Upgrades:
    """The steps from the oldest data to the data of this version. The number of a step is its place, from 1."""

    def __init__(self, versions: VersionStore, lease: Lease, steps: Sequence[Step]) -> None:
        self._versions = versions
        self._lease = lease
        self._steps = steps

    def check(self, *, is_agreed: bool) -> DataVersion:
        """Return the version of the data; raise `SettingsError` if the data is newer, or a step needs consent."""
        found = self._get()
        refuse_newer(found)
        if found.number > len(self._steps):
            log.warning("a newer version has used the data; its steps run again at the next update")
            self._versions.lower(len(self._steps))
        if not is_agreed and (names := self.list_final(found)):
            raise SettingsError(
                f"The data has version {found.number}, and Chatroom {__version__} must bring it to version "
                f"{len(self._steps)}. Older versions of Chatroom cannot use the data afterwards ({', '.join(names)}). "
                "Make a backup first, then run `flask --app test_mongo upgrade`, or start with UPGRADE=yes."
            )
        return found

    def list_final(self, found: DataVersion) -> list[str]:
        """Return the names of the pending steps after which older versions cannot use the data."""
        return [step.name for step in self._steps[found.number :] if step.shuts_out is not None and step.shuts_out()]

    def run(self, found: DataVersion, report: Report) -> None:
        """Run the pending steps, or wait until another process has run them."""
        is_waiting = False
        while found.number < len(self._steps):
            if self._lease.is_held():
                found = self._get()  # another process may have completed steps
                if found.number < len(self._steps):
                    self._run_step(found.number + 1, report)
            elif not is_waiting:
                is_waiting = True
                log.warning("another process is bringing the data up to date; waiting for it")
            else:
                time.sleep(WAIT_SECONDS)
            found = self._get()
        self._lease.give_back()

    def _get(self) -> DataVersion:
        found = self._versions.find()
        if found is not None:
            return found
        number = 0 if self._versions.has_data() else len(self._steps)
        return self._versions.create(DataVersion(number))

    def _run_step(self, number: int, report: Report) -> None:
        step, done = self._steps[number - 1], 0
        name = f"data version {number} of {len(self._steps)}, {step.name}"

        def changed(count: int) -> None:
            nonlocal done
            done += count
            report(name, done, 0)
            if not self._lease.is_held():
                raise Unavailable("Another process is bringing the data up to date. Please try again in a moment.")

        if step.shuts_out is not None and step.shuts_out():
            self._versions.shut_out(number, __version__)  # before the first change
        step.run(changed)
        self._versions.advance(number)
        report(name, done, done)


def refuse_newer(found: DataVersion) -> None:
    """Raise `SettingsError` if this version cannot use the data."""
    if found.oldest_reader > DATA_VERSION:
        raise SettingsError(
            f"The data has version {found.number} and needs Chatroom {found.release} or newer, but this is Chatroom "
            f"{__version__} with data version {DATA_VERSION}. Start the newer Chatroom, or restore a backup from "
            "before the upgrade."
        )


def log_progress(seconds: Callable[[], float] = time.monotonic) -> Report:
    """Make a function that logs the end of each step, and its progress every ten seconds."""
    next_at = seconds() + LOG_SECONDS

    def show(name: str, done: int, expected: int) -> None:
        nonlocal next_at
        if done == expected:
            log.info("%s: complete, %d documents changed", name, done)
        elif seconds() >= next_at:
            next_at = seconds() + LOG_SECONDS
            log.info("%s: %d documents changed so far", name, done)

    return show
