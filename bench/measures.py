"""The measures of the promises, P1 to P13, and the sweeps for the plots.

Each yields rows in which this server and its peer were measured alternately, in one run.
"""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Protocol, TypeVar
from urllib.parse import urlencode

from bench import finding, pages, room
from bench.crowd import Crowd, CrowdFailed, Pace, Throughput
from bench.dialects import Plain
from bench.figures import percentile, slope
from bench.machine import CORES, SERVER_CORE, free_port
from bench.report import Row
from bench.room import Room
from bench.servers import Server, ServerFailed
from bench.subjects import PEER_SUBJECTS, PEERS, Running, Stage

T = TypeVar("T")
OURS = Room()


class Starts(Protocol):
    """A server that can be measured: this one, or a peer."""

    @property
    def key(self) -> str:
        """A short name."""

    @property
    def title(self) -> str:
        """The name in the tables."""

    def up(self, stage: Stage) -> AbstractContextManager[Running]:
        """Start it on an empty database, and stop it at the end."""


@dataclass(frozen=True)
class Scale:
    """The sizes and times of a run; a quick run is smaller, and its output says so."""

    repeats: int = 3
    seconds: float = 6.0
    warm_up: float = 2.0
    paced_seconds: float = 15.0
    sockets: int = 200
    many_sockets: int = 1000
    paced_sockets: int = 500
    memory_sockets: int = 9000
    returning: int = 1000
    missed: int = 500
    history: int = 1_000_000
    pages_back: int = 500
    rooms: int = 200
    stopped_seconds: float = 60.0
    logins: int = 50
    sweep: tuple[int, ...] = (10, 50, 200, 500, 1000)
    rates: tuple[int, ...] = (5, 20, 50, 100, 200)

    @classmethod
    def quick(cls) -> "Scale":
        """Return the scale of a run of under three minutes: one short repetition, some sizes smaller."""
        return cls(
            repeats=1,
            seconds=1.5,
            warm_up=0.5,
            paced_seconds=2.5,
            many_sockets=500,
            paced_sockets=200,
            memory_sockets=1000,
            returning=200,
            history=30_000,
            pages_back=500,
            rooms=50,
            stopped_seconds=3.0,
            logins=10,
            sweep=(50, 200),
            rates=(20, 100),
        )


@dataclass
class Bench:
    """One run: its stage, its scale, and the points of the plots so far."""

    stage: Stage
    scale: Scale
    say: Callable[[str], None]
    series: dict[str, dict[str, dict[str, list[float]]]] = field(default_factory=dict)

    def alternate(self, subjects: Sequence[Starts], run: Callable[[Starts], T]) -> dict[str, list[T]]:
        """Run the subjects in turn, repeatedly, so that all run under the same conditions."""
        results: dict[str, list[T]] = {subject.key: [] for subject in subjects}
        for number in range(self.scale.repeats):
            for subject in subjects:
                self.say(f"{subject.title}, run {number + 1} of {self.scale.repeats}")
                results[subject.key].append(run(subject))
        return results

    def briefly(self) -> "Bench":
        """Return the same run with single, shorter repetitions, for the many points of a plot."""
        scale = self.scale
        halved = replace(scale, seconds=scale.seconds / 2, warm_up=scale.warm_up / 2)
        return replace(self, scale=replace(halved, repeats=1, paced_seconds=scale.paced_seconds / 3))

    def note(self, plot: str, subject: str, x: float, *values: float) -> None:
        """Add a point to a plot."""
        self.series.setdefault(plot, {}).setdefault(subject, {}).setdefault(str(x), []).extend(values)

    def saturate(self, subject: Starts, sockets: int, in_flight: int, *, marked_up: bool = False) -> Throughput:
        """Start a subject, keep `in_flight` messages in flight, and measure its deliveries."""
        with subject.up(self.stage) as running, running.crowd() as crowd:
            crowd.connect(sockets)
            done = crowd.saturate(in_flight, self.scale.seconds, warm_up=self.scale.warm_up, marked_up=marked_up)
        self.say(
            f"  {done.per_second:,.0f} deliveries/s, {done.messages_per_second:,.0f} messages/s, "
            f"{done.a_frame:.3g} per frame, server {done.server_cpu / done.seconds:.0%}, load {done.load_busy:.0%}"
            f"{_blemishes(done)}"
        )
        return done

    def pace(self, subject: Starts, sockets: int, rate: float) -> Pace:
        """Start a subject, and measure the latency at a fixed rate."""
        with subject.up(self.stage) as running, running.crowd() as crowd:
            crowd.connect(sockets)
            done = crowd.pace(rate, self.scale.paced_seconds, warm_up=self.scale.warm_up)
        self._say_pace(done)
        return done

    def _say_pace(self, done: Pace) -> None:
        lost = f", {done.lost} LOST" if done.lost else ""
        self.say(f"  p50 {_p50(done):.1f} ms, p99 {_p99(done):.1f} ms{lost}")


def p1(bench: Bench) -> Iterator[Row]:
    """Deliveries/s into 200 sockets, with 500 messages in flight, stored with majority."""
    yield _deliveries(bench, "P1", bench.scale.sockets, 500, at_least=30)


def p2(bench: Bench) -> Iterator[Row]:
    """Deliveries/s with 8 messages in flight, into 200 sockets and into 1,000."""
    for sockets in (bench.scale.sockets, bench.scale.many_sockets):
        yield _deliveries(bench, "P2", sockets, 8, at_least=3)


def p3(bench: Bench) -> Iterator[Row]:
    """Latency from send to receipt at 20 messages/s into 500 sockets."""
    node = PEER_SUBJECTS["node"]
    done = bench.alternate([OURS, node], lambda subject: bench.pace(subject, bench.scale.paced_sockets, 20))
    for name, pick in (("p50", _p50), ("p99", _p99)):
        yield Row(
            "P3",
            f"{name} latency, 20 messages/s into {bench.scale.paced_sockets} sockets",
            "ms",
            [pick(one) for one in done["ours"]],
            node.title,
            [pick(one) for one in done["node"]],
            at_most=1.0,
        )


def p4(bench: Bench) -> Iterator[Row]:
    """Durable messages/s into one room from many senders, in one process; and the cost of Markdown."""
    flask, senders = PEER_SUBJECTS["flask-gevent"], 20
    done = bench.alternate([OURS, flask], lambda subject: bench.saturate(subject, senders, 500))
    rates = [one.messages_per_second for one in done["ours"]]
    what = f"durable messages/s into one room, {senders} senders, 500 in flight"
    theirs = [one.messages_per_second for one in done["flask-gevent"]]
    yield Row("P4", what, "messages/s", rates, flask.title, theirs, at_least=20)
    yield Row("P4", what, "messages/s", rates, at_least=10_000)
    bench.say("this server, texts with Markdown")
    marked = [bench.saturate(OURS, senders, 500, marked_up=True).messages_per_second for _ in rates]
    yield Row("P4", f"{what}, with Markdown in every message", "messages/s", marked, "plain text", rates)


def p5(bench: Bench) -> Iterator[Row]:
    """Server CPU per delivery at saturation, compared with a bare ASGI broadcast of one message per frame."""
    subjects = [OURS, PEER_SUBJECTS["asgi"], PEER_SUBJECTS["picows"]]
    done = bench.alternate(subjects, lambda subject: bench.saturate(subject, bench.scale.sockets, 500))
    costs = {key: [one.server_cpu / one.deliveries * 1e6 for one in runs] for key, runs in done.items()}
    for key, at_most in (("asgi", 0.2), ("picows", None)):
        yield Row(
            "P5",
            f"server CPU per delivery, {bench.scale.sockets} sockets, 500 in flight",
            "µs",
            costs["ours"],
            PEER_SUBJECTS[key].title,
            costs[key],
            at_most=at_most,
        )
    yield Row(
        "P5",
        f"deliveries/s, {bench.scale.sockets} sockets, 500 in flight, in the same runs",
        "deliveries/s",
        [one.per_second for one in done["ours"]],
        PEER_SUBJECTS["picows"].title,
        [one.per_second for one in done["picows"]],
    )


def p6(bench: Bench) -> Iterator[Row]:
    """Memory per connection."""
    node, asgi = PEER_SUBJECTS["node"], PEER_SUBJECTS["asgi"]
    most = bench.scale.memory_sockets

    def grow(subject: Starts) -> float:
        with subject.up(bench.stage) as running, running.crowd() as crowd:
            crowd.connect(20)  # the first connections make the server load code: this is not the cost of a connection
            crowd.settle()
            sizes, memory = [20], [running.server.memory()]
            for sockets in (most // 9, most // 3, most):
                crowd.connect(sockets - len(crowd.members))
                crowd.settle()
                sizes.append(sockets)
                memory.append(running.server.memory())
                bench.note("memory", subject.title, sockets, memory[-1] / 1e6)
        cost = slope(sizes, memory) / 1000
        bench.say(f"  {cost:.1f} kB per connection, {memory[-1] / 1e6:.0f} MB in all")
        return cost

    done = bench.alternate([OURS, node, asgi], grow)
    what = f"memory per connection, up to {most:,} connections"
    for peer in (node, asgi):
        yield Row("P6", what, "kB", done["ours"], peer.title, done[peer.key])
    yield Row("P6", what, "kB", done["ours"], at_most=25)


def p7(bench: Bench) -> Iterator[Row]:
    """All clients lose their connection at once, miss messages, and reconnect."""
    returning, missed = bench.scale.returning, bench.scale.missed
    taken, stayed = [], []
    for number in range(bench.scale.repeats):
        bench.say(f"{OURS.title}, run {number + 1} of {bench.scale.repeats}")
        with OURS.up(bench.stage) as running, running.crowd() as crowd:
            crowd.connect(returning + 1)
            crowd.burst(10)
            stayer = crowd.members[0]
            cursor = room.newest_revision(running)
            crowd.drop(crowd.members[1:])
            crowd.burst(missed)
            back = _Return(crowd, returning, missed, cursor)
            calm = crowd.pace(20, 60, watch=[stayer], until=back)
            taken.append(back.seconds)
            stayed.append(_p99(calm))
        bench.say(f"  {taken[-1]:.2f} s, the client that stayed: p99 {stayed[-1]:.0f} ms")
    what = f"{returning:,} clients reconnect at once, each {missed} messages behind"
    yield Row("P7", f"{what}: time until the last client has all messages", "s", taken, at_most=5)
    yield Row("P7", f"{what}: p99 latency of another client, which stayed connected", "ms", stayed, at_most=250)


class _Return:
    """Connects a few clients at every turn of the load's loop; true once all have received what they missed."""

    def __init__(self, crowd: Crowd, count: int, missed: int, cursor: int) -> None:
        self._crowd, self._left, self._missed, self._cursor = crowd, count, missed, cursor
        self._back: list = []  # type: ignore[type-arg]
        self._began = 0.0
        self.seconds = float("nan")

    def __call__(self) -> bool:
        self._began = self._began or time.perf_counter()
        for _ in range(min(10, self._left)):
            self._back.append(self._crowd.begin("lobby", after=self._cursor))
            self._left -= 1
        if self._left or any(member.received < self._missed for member in self._back):
            return False
        self.seconds = time.perf_counter() - self._began
        return True


def p8(bench: Bench) -> Iterator[Row]:
    """A room with a long history compared with a short one: first page, a page far back, catching up."""
    long, back = bench.scale.history, bench.scale.pages_back
    names = ("first page", f"the page {back} pages back", "catch-up with 100 messages")
    taken: dict[str, dict[str, list[float]]] = {size: {name: [] for name in names} for size in ("long", "short")}
    with OURS.up(bench.stage) as running:
        big, small = room.add_rooms(running, 2)
        bench.say(f"filling a room with {long:,} messages")
        token = room.seed(bench.stage)[0]
        room.add_history(running, big, long, token)
        room.add_history(running, small, 1000, token)

        def ask(slug: str, newest: int, depth: int) -> list[bytes]:
            """Return requests for the first page, the page `depth` pages back, and the last hundred messages."""
            path = f"/api/rooms/{slug}/messages"
            queries = ("", f"?before={newest - depth * 50 + 1}", f"?after={newest - 100}&limit=100")
            return [pages.get(running.port, path + query, f"Authorization: Bearer {token}") for query in queries]

        for number in range(-1, bench.scale.repeats):
            sums = {size: dict.fromkeys(names, 0.0) for size in taken}
            for _ in range(rounds := 40):
                for size, asked in (("long", ask(big, long, back)), ("short", ask(small, 1000, 10))):
                    for name, seconds in zip(names, pages.ask(running.port, asked), strict=True):
                        sums[size][name] += seconds * 1000 / rounds
            if number >= 0:  # the first round only warms up
                for size, of in sums.items():
                    for name, value in of.items():
                        taken[size][name].append(value)
    for name in names:
        what = f"a room of {long:,} messages: {name}"
        yield Row("P8", what, "ms", taken["long"][name], "a room of 1,000", taken["short"][name], at_most=1.2)


def p9(bench: Bench) -> Iterator[Row]:
    """Latency of messages during many concurrent log-ins."""
    calm, busy, logins = [], [], []
    for number in range(bench.scale.repeats):
        bench.say(f"{OURS.title}, run {number + 1} of {bench.scale.repeats}")
        with OURS.up(bench.stage) as running, running.crowd() as crowd:
            crowd.connect(bench.scale.paced_sockets)
            calm.append(_p99(crowd.pace(20, bench.scale.paced_seconds, warm_up=bench.scale.warm_up)))
            # Real browsers run on other machines: these must not take this core from mongod and the load generator.
            command = ["nice", "-n", "19", sys.executable, "-m", "bench.logins", str(running.port)]
            command.append(str(bench.scale.logins))
            browsers = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            meanwhile = crowd.pace(20, 60, until=lambda: browsers.poll() is not None)  # noqa: B023
            busy.append(_p99(meanwhile))
            logins.append(max(json.loads(browsers.communicate()[0] or "[0]")))
        bench.say(
            f"  p99 {calm[-1]:.1f} ms, during the log-ins {busy[-1]:.1f} ms; the last one took {logins[-1]:.1f} s"
        )
    what = f"p99 latency, 20 messages/s into {bench.scale.paced_sockets} sockets"
    yield Row(
        "P9", f"{what}, during {bench.scale.logins} log-ins at once", "ms", busy, "without log-ins", calm, at_most=2
    )
    yield Row("P9", f"time until the last of {bench.scale.logins} log-ins is complete", "s", logins)


def p10(bench: Bench) -> Iterator[Row]:
    """Two processes on two cores compared with one process; the load generator and mongod share these cores."""
    both = frozenset(CORES)
    one, two = Room("one", "one process", 1, both), Room("two", "two processes", 2, both)
    sockets = bench.scale.many_sockets
    for in_flight in (8, 500):
        done = bench.alternate([two, one], lambda subject: bench.saturate(subject, sockets, in_flight))  # noqa: B023
        share = max(run.load_busy for run in done["two"])
        yield Row(
            "P10",
            f"two processes, {sockets} sockets, {in_flight} in flight (the load generator used {share:.0%} of a core)",
            "deliveries/s",
            [run.per_second for run in done["two"]],
            "one process",
            [run.per_second for run in done["one"]],
            at_least=1.6,
        )


def feeds(bench: Bench) -> Iterator[Row]:
    """Latency of messages from another process, by change stream and by polling."""
    standalone = Stage.standalone(bench.stage.folder / "standalone")
    try:
        for stage, how in ((bench.stage, "replica set, change stream"), (standalone, "standalone mongod, polling")):
            here: list[Pace] = []
            elsewhere: list[Pace] = []
            for number in range(bench.scale.repeats):
                bench.say(f"two processes, {how}, run {number + 1} of {bench.scale.repeats}")
                with OURS.up(stage) as running, OURS.beside(stage, running) as other, running.crowd() as crowd:
                    near, far = crowd.connect(20), crowd.connect(20, port=other.port)
                    for watched, done in ((near, here), (far, elsewhere)):
                        done.append(crowd.pace(20, bench.scale.paced_seconds / 2, watch=watched, speakers=near))
                        bench._say_pace(done[-1])
            for name, figure in (("p50", _p50), ("p99", _p99)):
                what = f"{name} latency of posts from another process, 20 messages/s, {how}"
                yield Row("feeds", what, "ms", [*map(figure, elsewhere)], "the same process", [*map(figure, here)])
    finally:
        standalone.mongod.stop()


def p11(bench: Bench) -> Iterator[Row]:
    """Many small rooms, each with few messages."""
    rooms, people = bench.scale.rooms, 10
    late, busy = [], []
    for number in range(bench.scale.repeats):
        bench.say(f"{OURS.title}, run {number + 1} of {bench.scale.repeats}")
        with OURS.up(bench.stage) as running, running.crowd() as crowd:
            crowd.connect(rooms * people, rooms=room.add_rooms(running, rooms))
            done = crowd.pace(rooms, bench.scale.paced_seconds, warm_up=bench.scale.warm_up, audience=people)
        late.append(_p99(done))
        busy.append(done.server_cpu / done.seconds)
        bench.say(f"  p99 {late[-1]:.1f} ms, server {busy[-1]:.0%} of a core, lost {done.lost}")
    what = f"{rooms} rooms, {people} people each, 1 message/s in each"
    yield Row("P11", f"{what}: p99 latency", "ms", late, at_most=50)
    yield Row("P11", f"{what}: server CPU", "cores", busy, at_most=0.5)


def p12(bench: Bench) -> Iterator[Row]:
    """One reader stops reading in a busy room."""
    seconds, sockets = bench.scale.stopped_seconds, bench.scale.paced_sockets
    late: dict[bool, list[float]] = {True: [], False: []}
    growth: dict[bool, list[float]] = {True: [], False: []}
    for number in range(bench.scale.repeats):
        for stopped in (False, True):
            bench.say(f"{'one' if stopped else 'no'} reader stopped, run {number + 1} of {bench.scale.repeats}")
            with OURS.up(bench.stage) as running, running.crowd() as crowd:
                crowd.connect(sockets)
                handshake = running.dialect.request(running.port, "lobby", 0, None)
                reader = _reader(running.port, handshake)
                crowd.burst(3000)  # fills the tail before the memory is measured
                crowd.settle()
                if stopped:
                    reader.send_signal(signal.SIGSTOP)
                before = running.server.memory()
                done = crowd.pace(200, seconds, warm_up=1)
                growth[stopped].append((running.server.memory() - before) / 1e6)
                late[stopped].append(_p99(done))
                reader.kill()
                reader.wait()
            bench.say(f"  p99 {late[stopped][-1]:.1f} ms, memory {growth[stopped][-1]:+.1f} MB, lost {done.lost}")
    what = f"one of {sockets} readers no longer reads, {seconds:.0f} s at 200 messages/s"
    others = f"{what}: p99 latency of the other readers"
    yield Row("P12", others, "ms", late[True], "no reader stopped", late[False], at_most=1.2)
    yield Row("P12", f"{what}: memory growth", "MB", growth[True], "no reader stopped", growth[False])
    yield Row("P12", f"{what}: memory growth", "MB", growth[True], at_most=5)


def p13(bench: Bench) -> Iterator[Row]:
    """The chat page, logged in, with 50 messages, compared with a minimal Flask page under gunicorn's threads."""
    ours: list[pages.PageRate] = []
    theirs: list[pages.PageRate] = []
    for number in range(bench.scale.repeats):
        bench.say(f"pages, run {number + 1} of {bench.scale.repeats}")
        with OURS.up(bench.stage) as running:
            room.add_history(running, "lobby", 500, room.seed(bench.stage)[0])
            cookie = f"Cookie: {room.log_in(running.port)}"
            ours.append(_pages(bench, running.port, cookie))
            peer_cookie = "Cookie: session=x"
            with _minimal_page(bench, running, filling=0) as port:
                bare = pages.saturate(port, pages.get(port, "/chatroom", peer_cookie), connections=1, seconds=0.2)
            with _minimal_page(bench, running, filling=ours[-1].size - bare.size) as port:
                theirs.append(_pages(bench, port, peer_cookie))
        bench.say(f"  {ours[-1].per_second:,.0f} requests/s, the minimal page {theirs[-1].per_second:,.0f}")
    yield Row(
        "P13",
        f"GET /chatroom logged in, 50 messages, {ours[-1].size / 1000:.0f} kB",
        "requests/s",
        [one.per_second for one in ours],
        "minimal Flask page, gunicorn gthread",
        [one.per_second for one in theirs],
        at_least=0.8,
    )


def load_alone(bench: Bench) -> Iterator[Row]:
    """The capacity of the load generator: it reads from a firehose, a server that only sends."""
    for messages, frames, what in (
        (1, 1, "one message per frame, one frame per write"),
        (1, 100, "one message per frame, 100 frames per write"),
        (100, 1, "100 messages per frame"),
    ):
        rates, shares = [], []
        for _ in range(bench.scale.repeats):
            port = free_port()
            command = [sys.executable, "firehose.py", str(port), str(messages), str(frames)]
            log = bench.stage.folder / "firehose.log"
            server = Server(command, port, cores=SERVER_CORE, log=log, cwd=PEERS)
            try:
                with Crowd(Plain(), port) as crowd:
                    crowd.connect(bench.scale.sockets)
                    rate, busy = crowd.listen(bench.scale.seconds)
            finally:
                server.stop()
            rates.append(rate)
            shares.append(busy)
            bench.say(f"  {what}: {rate:,.0f} deliveries/s, load {busy:.0%}")
        share = median(shares)
        yield Row("load", f"firehose, {what}; the load generator used {share:.0%} of its core", "deliveries/s", rates)


def sockets(bench: Bench) -> Iterator[Row]:
    """All servers: deliveries/s against sockets, with 8 messages in flight."""
    everybody: list[Starts] = [OURS, *PEER_SUBJECTS.values()]
    for count in bench.scale.sweep:
        able = [subject for subject in everybody if not (subject.key == "prosody" and count > 200)]
        bench.say(f"{count} sockets")
        part = bench if count == bench.scale.sockets else bench.briefly()
        done = part.alternate(able, _or_nothing(bench, lambda subject: part.saturate(subject, count, 8)))  # noqa: B023
        for subject in able:
            runs = [one for one in done[subject.key] if one]
            bench.note("sockets", subject.title, count, *(one.per_second for one in runs))
            if count == bench.scale.sockets and runs:
                yield Row(
                    "all",
                    f"{subject.title}, {count} sockets, 8 in flight{_blemishes(*runs)}",
                    "deliveries/s",
                    [one.per_second for one in runs],
                )


def rates(bench: Bench) -> Iterator[Row]:
    """All servers that store: latency against rate, into 200 sockets."""
    bench = bench.briefly()
    subjects = [OURS, *(PEER_SUBJECTS[key] for key in ("node", "flask-gevent", "channels", "prosody"))]
    for rate in bench.scale.rates:
        run = _or_nothing(bench, lambda subject: bench.pace(subject, bench.scale.sockets, rate))  # noqa: B023
        done = bench.alternate(subjects, run)
        for subject in subjects:
            for one in done[subject.key]:
                if one and not one.lost:
                    bench.note("rates", subject.title, rate, _p50(one))
    yield from ()


def search(bench: Bench) -> Iterator[Row]:
    """Search in a room with a long history; not part of a full run, because filling and indexing take minutes."""
    long = bench.scale.history
    with OURS.up(bench.stage) as running:
        bench.say(f"filling a room with {long:,} messages")
        finding.fill(running, long)
        bench.say("indexing the messages")
        yield Row("search", f"indexing, a room of {long:,}", "messages/s", [long / finding.index(running)])
        for what, size in finding.sizes(running):
            yield Row("search", f"on disk, {what}", "bytes", [size])
        token = room.seed(bench.stage)[0]
        asked = {
            name: pages.get(running.port, f"/api/search?{urlencode({'q': query})}", f"Authorization: Bearer {token}")
            for name, query in finding.QUERIES.items()
        }
        taken: dict[str, list[float]] = {name: [] for name in asked}
        for number in range(-2, 40):
            for name, seconds in zip(asked, pages.ask(running.port, list(asked.values())), strict=True):
                if number >= 0:  # the first two rounds only warm up
                    taken[name].append(seconds * 1000)
    for name, times in taken.items():
        yield Row("search", f"{name}: p50", "ms", [percentile(times, 0.5)])
        yield Row("search", f"{name}: p95", "ms", [percentile(times, 0.95)], at_most=100)


MEASURES: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "load": load_alone,
    **{f"P{number}": globals()[f"p{number}"] for number in range(1, 14)},
    "feeds": feeds,
    "sockets": sockets,
    "rates": rates,
    "search": search,
}


def _deliveries(bench: Bench, measure: str, count: int, in_flight: int, *, at_least: float) -> Row:
    node = PEER_SUBJECTS["node"]
    done = bench.alternate([OURS, node], lambda subject: bench.saturate(subject, count, in_flight))
    return Row(
        measure,
        f"deliveries/s, {count} sockets, {in_flight} in flight{_blemishes(*done['ours'], *done['node'])}",
        "deliveries/s",
        [one.per_second for one in done["ours"]],
        node.title,
        [one.per_second for one in done["node"]],
        at_least=at_least,
    )


def _or_nothing(bench: Bench, run: Callable[[Starts], T]) -> Callable[[Starts], T | None]:
    """Report a peer that fails under the load, and continue with the others."""

    def tried(subject: Starts) -> T | None:
        try:
            return run(subject)
        except (CrowdFailed, ServerFailed, OSError) as error:
            bench.say(f"  FAILED: {error}")
            return None

    return tried


def _blemishes(*runs: Throughput) -> str:
    """Describe what went wrong in runs; empty if every socket received every message once, in one order."""
    lost, doubled = sum(run.lost for run in runs), sum(run.doubled for run in runs)
    found = [f"{lost:,} LOST"] * bool(lost) + [f"{doubled:,} DUPLICATED"] * bool(doubled)
    found += ["IN DIFFERENT ORDERS"] * any(not run.in_order for run in runs)
    return "".join(f", {one}" for one in found)


def _p50(done: Pace) -> float:
    return percentile(done.latencies, 0.5) * 1000


def _p99(done: Pace) -> float:
    return percentile(done.latencies, 0.99) * 1000


def _reader(port: int, handshake: bytes) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "bench.reader", str(port)]
    reader = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert reader.stdin
    assert reader.stdout
    reader.stdin.write(handshake)
    reader.stdin.close()
    if reader.stdout.readline().strip() != b"in":
        raise CrowdFailed("the server refused the extra reader")
    return reader


def _pages(bench: Bench, port: int, cookie: str) -> pages.PageRate:
    request = pages.get(port, "/chatroom", cookie)
    return pages.saturate(port, request, connections=16, seconds=bench.scale.seconds, warm_up=bench.scale.warm_up)


@contextmanager
def _minimal_page(bench: Bench, running: Running, *, filling: int) -> Iterator[int]:
    """Serve the minimal page from the same database; yield its port."""
    port = free_port()
    name = running.mongo_uri.rsplit("/", 1)[1].split("?")[0]
    options = "-w 1 -k gthread --threads 20 --keep-alive 60 --log-level warning"
    server = Server(
        [sys.executable, "-m", "gunicorn", "-b", f"127.0.0.1:{port}", *options.split(), "flask_page:app"],
        port,
        cores=SERVER_CORE,
        log=bench.stage.folder / "flask-page.log",
        env={"MONGO_URI": running.mongo_uri, "MONGO_DB": name, "FILLING": str(max(0, filling))},
        cwd=PEERS,
    )
    try:
        yield port
    finally:
        server.stop()
