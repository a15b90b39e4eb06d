"""The load generator: many websockets in one epoll loop, with no library between it and the kernel.

It counts every delivery on every socket. It keeps the streams of the witnesses, and decodes them after the clock has
stopped, so that every figure includes "nothing lost, nothing duplicated".
"""

import contextlib
import select
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import cycle

from bench.dialects import MARK, NUMBERED, Dialect, Step, text, whole
from bench.frames import CLOSE, PING, PONG, Decoder, encode

_CARRY = len(MARK) - 1  # a mark can be split between two reads
_NO_CARRY = b"\0" * _CARRY
_SIZE = 1 << 18
_EDGE = select.EPOLLIN | select.EPOLLET  # edge-triggered: one event for each arrival, which costs the kernel less
_QUIET = 0.3
_STALL = 5.0  # seconds without a delivery, after which outstanding messages count as lost


class CrowdFailed(RuntimeError):
    """The crowd failed, so a figure would have no meaning."""


class Member:
    """One websocket of the crowd."""

    __slots__ = ("carry", "decoder", "fd", "head", "kept", "latencies", "receive", "received", "room", "sock", "steps")

    def __init__(self, sock: socket.socket, room: str, steps: list[Step]) -> None:
        self.sock, self.room, self.steps = sock, room, steps
        self.fd, self.receive = sock.fileno(), sock.recv_into
        self.received = 0
        self.carry: bytes | bytearray = _NO_CARRY
        self.head: bytes | None = b""  # the HTTP response while it arrives, then None
        self.decoder = Decoder()
        self.kept: list[bytes] | None = None
        self.latencies: list[float] | None = None

    @property
    def is_in(self) -> bool:
        """Return whether the handshake is over and the member is in its room."""
        return self.head is None and not self.steps


@dataclass
class Throughput:
    """The results of a saturated server over a period."""

    seconds: float
    messages: float
    deliveries: int
    server_cpu: float
    load_busy: float
    lost: int
    doubled: int
    in_order: bool
    a_frame: float  # messages per frame, on average

    @property
    def per_second(self) -> float:
        """Return deliveries per second."""
        return self.deliveries / self.seconds

    @property
    def messages_per_second(self) -> float:
        """Return messages per second that reached all members."""
        return self.messages / self.seconds


@dataclass
class Pace:
    """The results at a fixed rate of messages."""

    latencies: list[float] = field(default_factory=list)
    posted: int = 0
    lost: int = 0
    server_cpu: float = 0.0
    seconds: float = 0.0
    load_busy: float = 0.0


class Crowd:
    """Connections to one server, which use its dialect."""

    def __init__(self, dialect: Dialect, port: int, *, cpu: Callable[[], float] = lambda: 0.0) -> None:
        self._dialect, self._port, self._cpu = dialect, port, cpu
        self._epoll = select.epoll()
        self._members: dict[int, Member] = {}
        self._buffer = bytearray(_SIZE + _CARRY)
        self._tail = memoryview(self._buffer)[_CARRY:]
        self._posted = 0
        self._due: dict[int, float] = {}
        self.members: list[Member] = []

    def __enter__(self) -> "Crowd":
        return self

    def __exit__(self, *_: object) -> None:
        self.drop(self.members)
        self._epoll.close()

    # Connecting and disconnecting

    def connect(
        self,
        count: int,
        *,
        rooms: Iterable[str] = ("lobby",),
        after: int | None = None,
        at_once: int = 100,
        seconds: float = 120,
        port: int | None = None,
    ) -> list[Member]:
        """Connect `count` more members, distributed over the rooms, and wait until all are in their rooms."""
        arriving: list[Member] = []
        deadline = time.perf_counter() + seconds
        for room, _ in zip(cycle(rooms), range(count), strict=False):
            arriving.append(self.begin(room, after=after, port=port))
            while sum(not m.is_in for m in arriving) >= at_once:
                self._turn(0.1)
                _in_time(deadline)
        while not all(m.is_in for m in arriving):
            self._turn(0.1)
            _in_time(deadline)
        return arriving

    def begin(self, room: str, *, after: int | None = None, port: int | None = None) -> Member:
        """Open a connection without waiting for the handshake."""
        port = port or self._port
        sock = socket.create_connection(("127.0.0.1", port), 10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(self._dialect.request(port, room, len(self.members), after))
        sock.setblocking(False)
        member = Member(sock, room, self._dialect.steps(room, len(self.members), after))
        self.members.append(member)
        self._members[member.fd] = member
        self._epoll.register(member.fd, _EDGE)
        return member

    def drop(self, members: Iterable[Member]) -> None:
        """Reset connections without a close frame, as a dead network would."""
        gone = set(members)
        for member in gone:
            self._members.pop(member.fd, None)
            with contextlib.suppress(OSError):
                member.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                member.sock.close()
        self.members = [m for m in self.members if m not in gone]

    def settle(self, seconds: float = 60) -> None:
        """Wait until no member receives anything for a moment: greetings and presence are over."""
        deadline = time.perf_counter() + seconds
        quiet_since = time.perf_counter()
        while time.perf_counter() - quiet_since < _QUIET or not all(m.decoder.between_frames for m in self.members):
            if self._turn(_QUIET / 2):
                quiet_since = time.perf_counter()
            if quiet_since > deadline:
                raise CrowdFailed("the server never stopped sending")

    # Load

    def saturate(
        self, in_flight: int, seconds: float, *, warm_up: float = 1.0, witnesses: int = 2, marked_up: bool = False
    ) -> Throughput:
        """Keep `in_flight` messages posted but not yet received (by the average member), and count deliveries.

        All members post in turn. Afterwards wait for all outstanding messages, and check the streams of the witnesses.
        """
        self.settle()
        people = self.members
        for member in people:
            member.received, member.carry = 0, _NO_CARRY
        for member in (people[0], people[-1])[:witnesses]:
            member.kept = []
        first, forgiven = self._posted, 0
        senders = cycle(people)
        count, start = len(people), time.perf_counter()
        begin, end = start + warm_up, start + warm_up + seconds
        moved = start
        total, before = 0, None
        while (now := time.perf_counter()) < end:
            if before is None and now >= begin:
                before = (now, total, self._cpu(), time.process_time())
            while self._posted - first - forgiven - total / count < in_flight:
                if not self._post(next(senders), marked_up=marked_up):
                    break
            if got := self._count(0.02):
                total, moved = total + got, now
            elif now - moved > _STALL:  # lost messages would block the window: count them as lost, and continue
                forgiven, moved = self._posted - first - total // count, now
        assert before is not None
        after = (time.perf_counter(), total, self._cpu(), time.process_time())
        posted = self._posted - first
        moved = time.perf_counter()
        while total < posted * count and time.perf_counter() - moved < _STALL:
            if got := self._count(0.1):
                total, moved = total + got, time.perf_counter()
        while self._epoll.poll(_QUIET):  # until the end of the last frame
            self._count(0)
        doubled, in_order, a_frame = self._ask_witnesses()
        elapsed = after[0] - before[0]
        return Throughput(
            seconds=elapsed,
            messages=(after[1] - before[1]) / count,
            deliveries=after[1] - before[1],
            server_cpu=after[2] - before[2],
            load_busy=(after[3] - before[3]) / elapsed,
            lost=posted * count - total,
            doubled=doubled,
            in_order=in_order,
            a_frame=a_frame,
        )

    def pace(
        self,
        rate: float,
        seconds: float,
        *,
        warm_up: float = 0.0,
        watch: Iterable[Member] | None = None,
        speakers: Iterable[Member] | None = None,
        until: Callable[[], bool] | None = None,
        audience: int | None = None,
    ) -> Pace:
        """Post at a fixed rate, and measure each delivery from the time at which its message was due.

        With `until`, continue until it is true (at most `seconds`). `audience` is the number of members that a message
        reaches, if not all.
        """
        self.settle()
        result = Pace()
        watched = list(self.members if watch is None else watch)
        start = time.perf_counter() + 0.01
        begin, end = start + warm_up, start + warm_up + seconds
        senders = cycle(watched if speakers is None else speakers)
        for member in watched:
            member.received, member.latencies = 0, []
        first, made = self._posted, 0
        before: tuple[float, float] | None = None
        while (now := time.perf_counter()) < end and not (until and until()):
            if before is None and now >= begin:
                before = (self._cpu(), time.process_time())
                for member in watched:
                    member.latencies = []
            while (due := start + made / rate) <= now:
                if not self._post(next(senders), due=due):
                    break
                made += 1
            self._turn(max(0.0, min(due - time.perf_counter(), 0.05)))
        result.seconds = time.perf_counter() - begin
        if before is not None:
            result.server_cpu = self._cpu() - before[0]
            result.load_busy = (time.process_time() - before[1]) / result.seconds
        result.posted = self._posted - first
        expected = result.posted * (audience or len(watched))
        moved = time.perf_counter()
        while sum(m.received for m in watched) < expected and time.perf_counter() - moved < _STALL:
            if self._turn(0.1):
                moved = time.perf_counter()
        result.lost = expected - sum(m.received for m in watched)
        for member in watched:
            result.latencies += member.latencies or []
            member.latencies = None
        self._due.clear()
        return result

    def listen(self, seconds: float) -> tuple[float, float]:
        """Count what a server sends unasked; return deliveries per second, and the load's share of its core."""
        for member in self.members:
            member.carry = _NO_CARRY
        self._count(0.1)
        start, busy, total = time.perf_counter(), time.process_time(), 0
        while time.perf_counter() < start + seconds:
            total += self._count(0.1)
        elapsed = time.perf_counter() - start
        return total / elapsed, (time.process_time() - busy) / elapsed

    def burst(self, count: int, *, in_flight: int = 100, seconds: float = 60) -> None:
        """Post `count` messages from the first member, and wait until it has received them."""
        sender = self.members[0]
        sender.received, made, deadline = 0, 0, time.perf_counter() + seconds
        while sender.received < count:
            while made < count and made - sender.received < in_flight and self._post(sender):
                made += 1
            self._turn(0.1)
            _in_time(deadline)

    def wait(self, until: Callable[[], bool], seconds: float) -> None:
        """Read, and answer pings, until a condition is true."""
        deadline = time.perf_counter() + seconds
        while not until():
            self._turn(0.05)
            _in_time(deadline)

    # One turn of the loop

    def _count(self, timeout: float) -> int:
        """Count the marks in the received bytes; decode only compressed frames, because decoding takes time."""
        buffer, tail, members, got = self._buffer, self._tail, self._members, 0
        deflates = self._dialect.deflates
        for fd, _ in self._epoll.poll(timeout, 128):
            member = members[fd]
            try:
                size = member.receive(tail)
            except BlockingIOError:
                continue
            except OSError:
                size = 0
            if not size:
                raise self._lost(member)
            if size == _SIZE:
                self._epoll.modify(fd, _EDGE)  # more may have arrived: request another event
            if deflates:
                number = member.decoder.count(bytes(tail[:size]), MARK)
            else:
                buffer[:_CARRY] = member.carry
                number = buffer.count(MARK, 0, size + _CARRY)
                member.carry = buffer[size : size + _CARRY]
            member.received += number
            got += number
            if member.kept is not None:
                member.kept.append(bytes(tail[:size]))
        return got

    def _turn(self, timeout: float) -> bool:
        """Decode the received bytes: answer pings, continue handshakes, measure deliveries."""
        members, tail, moved = self._members, self._tail, False
        for fd, _ in self._epoll.poll(timeout, 128):
            member = members[fd]
            try:
                size = member.receive(tail)
            except BlockingIOError:
                continue
            except OSError:
                size = 0
            if not size:
                raise self._lost(member)
            if size == _SIZE:
                self._epoll.modify(fd, _EDGE)
            now = time.perf_counter()
            received = bytes(tail[:size])
            if member.head is not None:
                received = self._upgrade(member, member.head + received)
                moved = True
            moved |= self._take(member, received, now)
        return moved

    def _upgrade(self, member: Member, head: bytes) -> bytes:
        """Read the response to the handshake; return the bytes after it."""
        if b"\r\n\r\n" not in head:
            member.head = head
            return b""
        answer, rest = head.split(b"\r\n\r\n", 1)
        if b" 101 " not in answer.split(b"\r\n")[0]:
            raise CrowdFailed(f"refused: {head[:300].decode(errors='replace')}")
        member.head = None
        if member.steps:
            self._say(member, member.steps[0].send)
        return rest

    def _take(self, member: Member, received: bytes, now: float) -> bool:
        moved, due = False, self._due
        for opcode, payload in member.decoder.feed(received):
            if opcode == PING:
                member.sock.send(encode(payload, PONG))
            elif payload == self._dialect.ping:
                self._say(member, self._dialect.pong)
            elif opcode == CLOSE:
                raise CrowdFailed(f"the server closed a connection: {payload[:200]!r}")
            elif member.steps:
                moved = True
                if member.steps[0].expect in payload:
                    member.steps.pop(0)
                    self._say(member, member.steps[0].send if member.steps else b"")
            else:
                moved = True
                numbers = NUMBERED.findall(payload)
                member.received += len(numbers)
                if member.latencies is not None:
                    member.latencies += [now - due[n] for n in map(int, numbers) if n in due]
        return moved

    def _say(self, member: Member, payload: bytes) -> None:
        if payload:
            member.sock.send(encode(payload))

    def _lost(self, member: Member) -> CrowdFailed:
        return CrowdFailed(f"the server cut a connection after {member.received} deliveries")

    def _post(self, member: Member, *, due: float | None = None, marked_up: bool = False) -> bool:
        """Send the next numbered message; return False if the server does not accept it now."""
        number = self._posted
        payload = self._dialect.post(member.room, number, text(number, marked_up=marked_up))
        frame = encode(payload)
        try:
            sent = member.sock.send(frame)
        except BlockingIOError:
            return False
        if sent < len(frame):
            member.sock.setblocking(True)
            member.sock.sendall(frame[sent:])
            member.sock.setblocking(False)
        if due is not None:
            self._due[number] = due
        self._posted += 1
        return True

    def _ask_witnesses(self) -> tuple[int, bool, float]:
        """Decode the witnesses' streams; return the duplicates, whether all have one order, and messages per frame."""
        doubled, orders, frames = 0, [], 0
        for member in self.members:
            if member.kept is not None:
                stream, member.kept = b"".join(member.kept), None
                found = [numbers for _, payload in Decoder().feed(stream) if (numbers := whole(payload))]
                frames += len(found)
                numbers = [number for numbers in found for number in numbers]
                if len(numbers) != member.received:
                    raise CrowdFailed(f"{member.received} marks counted, {len(numbers)} whole messages found")
                doubled += len(numbers) - len(set(numbers))
                orders.append(numbers)
        return doubled, all(order == orders[0] for order in orders), sum(map(len, orders)) / max(1, frames)


def _in_time(deadline: float) -> None:
    if time.perf_counter() > deadline:
        raise CrowdFailed("timed out")
