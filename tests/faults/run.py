"""One run: a room, a crowd, faults, and the verdict.

The plan comes from the seed alone; what the machine makes of it does not: a seed repeats the plan and not the run.
"""

import asyncio
import contextlib
import random
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec

from tests.faults import checker, history, people, report
from tests.faults.app import App
from tests.faults.chatter import Chatter
from tests.faults.checker import Violation
from tests.faults.faults import World, commit
from tests.faults.fresh import read_everything
from tests.faults.history import HARNESS, Document, Event, Journal, Outcome, hash_of
from tests.faults.poller import Poller
from tests.faults.probe import Probe
from tests.faults.replica import ReplicaSet
from tests.faults.report import Summary
from tests.faults.schedule import BRIEF, DISK, KINDS, Lane, Planned, plan, short_plan

PROCESSES = 2
CALM_SECONDS = 60.0
SHORT_SECONDS = 60.0


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What kind of run."""

    seed: int
    seconds: float
    """From the first to the last fault; a plan that ends earlier ends it."""
    chatters: int = 12
    pollers: int = 3
    seconds_between: float = 0.8
    """Between two deeds of one client, on average."""
    warm_up_seconds: float = 3.0
    """Before the first fault, and until each of them was answered once."""
    after_seconds: float = 4.0
    """For how long people go on talking when the faults are over, and until so much was said:"""
    least_answers: int = 0
    quiet_seconds: float = 3.0
    """Between the last answer and the last look at what the processes hold."""
    behind_seconds: float = checker.BEHIND_SECONDS
    """For how long somebody may be behind after the faults; a machine with other things to do needs longer."""
    mutation: str = ""
    renames: bool = False
    only: frozenset[str] = frozenset()
    """These kinds of faults alone; all, when there are none."""
    lanes: dict[Lane, tuple[Planned, ...]] = {}
    """Plans of one's own, by lane; without any, endless ones are made from the seed."""


def short_form(seed: int) -> Options:
    """Half a minute with a few faults of each family, as `make test-long` does it."""
    lanes = {lane: tuple(short_plan(seed, lane)) for lane in KINDS}
    return Options(
        seed=seed, seconds=SHORT_SECONDS, lanes=lanes, chatters=10, pollers=2, seconds_between=0.6, warm_up_seconds=1.0
    )


def brief_form(seed: int) -> Options:
    """Some seconds with a few faults, as `make test` does it, beside other tests."""
    lanes = {lane: tuple(short_plan(seed, lane, BRIEF)) for lane in KINDS}
    return Options(
        seed=seed,
        seconds=SHORT_SECONDS,
        lanes=lanes,
        chatters=8,
        pollers=1,
        seconds_between=0.4,
        warm_up_seconds=0.5,
        after_seconds=0.5,
        quiet_seconds=0.3,
    )


class Result(msgspec.Struct, frozen=True):
    """What came of it."""

    summary: Summary
    violations: list[Violation]
    folder: Path


@asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[ReplicaSet]:
    """A replica set, for one run after the other."""
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240  a moment, before anything runs
    replica = ReplicaSet(folder)
    try:
        await replica.start()
        yield replica
    finally:
        await replica.stop()


async def run(replica: ReplicaSet, folder: Path, options: Options) -> Result:
    """Do it all, with a database, apps and a crowd of its own."""
    folder.mkdir(parents=True)  # noqa: ASYNC240
    attack = Attack(replica, folder, options)
    try:
        await attack.start()
        await attack.strike()
        await attack.heal()
        await attack.calm_down()
        return await attack.judge()
    finally:
        await attack.stop()


class Attack:
    """The parts of a run, and its steps."""

    def __init__(self, replica: ReplicaSet, folder: Path, options: Options) -> None:
        self._began = time.monotonic()
        self.replica = replica
        self.folder = folder
        self.options = options
        self.database = f"faults_{secrets.token_hex(4)}"
        self.apps = [App(number, folder, replica.uri, self.database, options.mutation) for number in range(PROCESSES)]
        self.probe = Probe(self.apps, self.clock)
        self.chatters: list[Chatter] = []
        self.pollers: list[Poller] = []
        self._journals: list[Journal] = []
        self._journal = self._new_journal(HARNESS)
        self._living: list[asyncio.Task[None]] = []
        self._headers: dict[str, str] = {}
        self.left_out: dict[str, str] = {}
        if why := replica.nodes[0].disk.why_not:
            self.left_out = dict.fromkeys(DISK, f"a disk of its own cannot be mounted here ({why})")

    def clock(self) -> float:
        """Seconds since the run began."""
        return round(time.monotonic() - self._began, 4)

    async def start(self) -> None:
        """Make accounts, start the apps, and let the crowd in."""
        options = self.options
        names = [f"chatter{number}" for number in range(options.chatters)]
        names += [f"poller{number}" for number in range(options.pollers)]
        accounts = await asyncio.to_thread(people.make_accounts, self.replica.uri, self.database, names)
        for app in self.apps:
            await app.proxy.start()
            app.start()
        for app in self.apps:
            await app.wait_until_alive()
        await self.probe.sign_in(names[0], people.PASSWORD)
        ports = [app.proxy.port for app in self.apps]
        for account in accounts:
            rng = random.Random(f"{options.seed} {account.name}")
            journal = self._new_journal(account.name)
            arguments = (account.name, account.user_id, account.token, journal, rng, self.clock)
            kind = Chatter if account.name.startswith("chatter") else Poller
            person = kind(*arguments, ports=ports, seconds_between=options.seconds_between, renames=options.renames)
            (self.chatters if isinstance(person, Chatter) else self.pollers).append(person)  # type: ignore[arg-type]
            self._headers = person.headers
        self._living = [asyncio.create_task(person.run()) for person in self.crowd]
        self._living.append(asyncio.create_task(self.probe.run()))
        await asyncio.sleep(options.warm_up_seconds)
        await self._wait_until(lambda: all(person.answers for person in self.crowd))

    @property
    def crowd(self) -> Sequence[Chatter | Poller]:
        """Every client."""
        return [*self.chatters, *self.pollers]

    async def strike(self) -> None:
        """Do the faults of both lanes until the time is over."""
        world = World(self.replica, self.apps, self.chatters)
        deadline = time.monotonic() + self.options.seconds
        lanes = [asyncio.create_task(self._go_down(world, lane, deadline)) for lane in KINDS]
        try:
            for lane in asyncio.as_completed(lanes):
                await lane
                self._look_after_crowd()
        finally:
            for task in lanes:
                task.cancel()
            await asyncio.gather(*lanes, return_exceptions=True)

    async def heal(self) -> None:
        """Undo everything, and note when."""
        await self.replica.heal()
        for chatter in self.chatters:
            chatter.thaw()
        for app in self.apps:
            app.proxy.heal()
            app.set_clock(0)
            app.thaw()
            if not app.process.is_running:
                app.start()
        for app in self.apps:
            await app.wait_until_alive()
        self._journal.write(Event(time=self.clock(), who=HARNESS, kind="healed"))

    async def calm_down(self) -> None:
        """Talk on for a little, then wait until everybody has an answer and has seen everything."""
        await asyncio.sleep(self.options.after_seconds)
        await self._wait_until(lambda: sum(each.answers for each in self.crowd) >= self.options.least_answers)
        for person in self.crowd:
            person.is_talking = False
        await self._wait_until(self._is_calm)
        # One more look at everybody's cursor, and at what the processes hold when nothing happens any more.
        await asyncio.sleep(self.options.quiet_seconds)
        self._look_after_crowd()

    async def judge(self) -> Result:
        """Send everybody home, read everything, and check it."""
        for number, app in enumerate(self.apps):
            await read_everything(app.url, self._headers, self.folder, number, self.clock)
        for person in self.crowd:
            await person.finish()
        await self._end_living()
        for journal in self._journals:
            journal.close()
        documents = [_document(each) for each in await asyncio.to_thread(self.replica.dump, self.database)]
        history.write_lines(self.folder / "dump.jsonl", documents)
        events = history.read_events(self.folder)
        check = partial(checker.check, behind_seconds=self.options.behind_seconds)
        violations = await asyncio.to_thread(check, events, documents)
        handshakes = [each for chatter in self.chatters for each in chatter.handshake_seconds]
        summary = report.summarize(
            self.options.seed,
            events,
            documents,
            violations,
            self.probe,
            left_out=self.left_out,
            handshakes=handshakes,
            stops=[stop for app in self.apps for stop in app.stops],
        )
        report.write(summary, violations, self.folder)
        return Result(summary, violations, self.folder)

    async def stop(self) -> None:
        """Give everything back."""
        await self._end_living()
        for app in self.apps:
            await app.close()
        for journal in self._journals:
            journal.close()
        await self.replica.heal()

    async def _go_down(self, world: World, lane: Lane, deadline: float) -> None:
        plans: Iterator[Planned]
        if self.options.lanes:
            plans = iter(self.options.lanes.get(lane, ()))
        else:
            plans = plan(self.options.seed, lane, only=self.options.only, leave_out=frozenset(self.left_out))
        for planned in plans:
            if time.monotonic() + planned.pause_seconds > deadline:
                return
            await asyncio.sleep(planned.pause_seconds)
            self._note(planned, "tried")
            await commit(world, planned)
            self._note(planned, "ok")
            self._look_after_crowd()

    def _note(self, planned: Planned, outcome: Outcome) -> None:
        """Write down that a fault begins, or that it is over."""
        self._journal.write(
            Event(time=self.clock(), who=HARNESS, kind="fault", outcome=outcome, reason=planned.kind, id=planned.lane)
        )

    def _look_after_crowd(self) -> None:
        """A client that fell over is a fault of the harness's, or of the room's: say so at once."""
        for task in self._living:
            if task.done() and not task.cancelled() and task.exception() is not None:
                task.result()

    async def _wait_until(self, is_so: Callable[[], bool]) -> None:
        """Wait for it, but not for ever: the verdict shows what has not come."""
        deadline = time.monotonic() + CALM_SECONDS
        while time.monotonic() < deadline and not is_so():  # noqa: ASYNC110  nobody could say when
            await asyncio.sleep(0.1)

    def _is_calm(self) -> bool:
        newest = max(person.cursor for person in self.crowd)
        return all(not person.waiting and person.cursor == newest for person in self.crowd)

    async def _end_living(self) -> None:
        living, self._living = self._living, []
        for task in living:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*living, return_exceptions=True)

    def _new_journal(self, name: str) -> Journal:
        journal = Journal(self.folder / f"{name}.log")
        self._journals.append(journal)
        return journal


def _document(found: dict[str, object]) -> Document:
    author, revisions = found["author"], found["revisions"]
    assert isinstance(author, dict)
    assert isinstance(revisions, list)
    return Document(
        id=str(found["_id"]),
        sequence=int(str(found["sequence"])),
        revision=int(str(found["revision"])),
        revisions=tuple(map(int, revisions)),
        author=str(author["id"]),
        client_id=str(found["client_id"]),
        hash="" if found.get("deleted_at") else hash_of(str(found["text"])),
    )
