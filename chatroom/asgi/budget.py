"""Count the memory held for clients that send or read: by connection, person, address, and in total.

Both directions count together, with one bound each. Used only on the event loop, except `Account.person`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec

BUDGET = "chatroom.asgi.budget"
ACCOUNT = "chatroom.account"
"""Where the state of the server, and of each of its connections, has them."""

Scope = Mapping[str, Any]
Payer = tuple[str, str]
"""For whom something is held: a kind of share, and whose it is."""
PROCESS, ADDRESS, PERSON = "process", "address", "person"


class Shares(msgspec.Struct, frozen=True, kw_only=True):
    """The most bytes that are held in all, for an address and for a person, and its HTTP connections; 0: no limit."""

    in_all: int = 0
    per_address: int = 0
    per_person: int = 0
    connections_per_address: int = 0


NO_LIMITS = Shares()


def peer_of(scope: Scope) -> str:
    """The address of who is at the other end."""
    return scope["client"][0] if scope.get("client") else ""


class Budget:
    """Of one process. `address_of` says where a request comes from; behind proxies only its head tells it."""

    def __init__(
        self,
        shares: Shares = NO_LIMITS,
        *,
        address_of: Callable[[Scope], str] = peer_of,
        is_behind_proxies: bool = False,
    ) -> None:
        self.address_of = address_of
        self.is_behind_proxies = is_behind_proxies
        self.connections: Counter[str] = Counter()
        self.held: Counter[Payer] = Counter()
        self.most_connections = shares.connections_per_address
        self._most = {PROCESS: shares.in_all, ADDRESS: shares.per_address, PERSON: shares.per_person}
        self._stalled: dict[Account, Callable[[], None]] = {}
        """Whose reader does not read, the longest first, and how to cut them off."""

    def open(self) -> "Account":
        """An account for a new connection."""
        return Account(self)

    def find_full(self, account: "Account", size: int) -> Payer | None:
        """Whose share has no room for so much more; nobody's is full where nothing else is held for them."""
        for payer in account.payers:
            kind, held = payer[0], self.held[payer]
            if 0 < self._most[kind] < held + size and (kind == PROCESS or held > account.size):
                return payer
        return None

    def add(self, payers: tuple[Payer, ...], size: int) -> None:
        """Count so much for each of them."""
        for payer in payers:
            self.held[payer] += size
            if not self.held[payer]:
                del self.held[payer]

    def note_stalled(self, account: "Account", cut: Callable[[], None]) -> None:
        """Remember whose reader has stopped reading."""
        self._stalled[account] = cut

    def forget_stalled(self, account: "Account") -> None:
        """It reads again, or has gone."""
        self._stalled.pop(account, None)

    def cut_longest(self, payer: Payer) -> bool:
        """Cut off the reader of a payer that has read nothing for longest; whether there was one."""
        for account, cut in self._stalled.items():
            if payer in account.payers:
                self.forget_stalled(account)
                cut()
                return True
        return False


class Account:
    """What one connection makes the process hold, and for whom."""

    __slots__ = ("_budget", "_is_counted", "_unread", "address", "payers", "person", "size")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._is_counted = False
        self._unread = 0
        self.address = ""
        self.person = ""
        """Who is logged in; may be set in any thread, and counts from then on."""
        self.size = 0
        self.payers: tuple[Payer, ...] = ()

    def enter(self, address: str) -> bool:
        """Belong to an address from now on; False when it has too many connections, which is then not counted."""
        self.leave()
        self.address, self.person = address, ""
        most = self._budget.most_connections
        self._is_counted = not 0 < most <= self._budget.connections[address]
        self._budget.connections[address] += self._is_counted
        return self._is_counted

    def leave(self) -> None:
        """Be no HTTP connection of its address any more."""
        if self._is_counted:
            self._is_counted = False
            self._budget.connections[self.address] -= 1
            if not self._budget.connections[self.address]:
                del self._budget.connections[self.address]

    def hold(self, size: int) -> bool:
        """Count so many bytes; False, and nothing is counted, when there is no room for them."""
        self._settle()
        full = self._budget.find_full(self, size)
        if full is not None:
            if full[0] == PROCESS:
                self._budget.cut_longest(full)  # there is room in a moment
            return False
        self.size += size
        self._budget.add(self.payers, size)
        return True

    def release(self, size: int) -> None:
        """Count so many bytes no longer."""
        self.size -= size
        self._budget.add(self.payers, -size)

    def stall(self, unread: int, cut: Callable[[], None]) -> None:
        """The reader has stopped reading: count what is on its way, and cut off the longest where that is too much."""
        self._settle()
        self._budget.note_stalled(self, cut)
        full = self._budget.find_full(self, unread)
        if full is not None:
            self._budget.cut_longest(full)
        self._unread = unread
        self.size += unread
        self._budget.add(self.payers, unread)

    def flow(self) -> None:
        """The reader reads again, or has gone."""
        self._budget.forget_stalled(self)
        if self._unread:
            self.release(self._unread)
            self._unread = 0

    def close(self) -> None:
        """The connection has ended; what is left of it is released by whoever holds it."""
        self.flow()
        self.leave()

    def _settle(self) -> None:
        """Have what is held counted for whom it is held by now."""
        payers: tuple[Payer, ...] = ((PROCESS, ""), (ADDRESS, self.address))
        if self.person:
            payers = (*payers, (PERSON, self.person))
        if payers != self.payers:
            if self.size:
                self._budget.add(self.payers, -self.size)
                self._budget.add(payers, self.size)
            self.payers = payers


@contextmanager
def counted(counter: Counter[str], key: str) -> Iterator[None]:
    """Count one more of a key during the block."""
    counter[key] += 1
    try:
        yield
    finally:
        counter[key] -= 1
        if not counter[key]:
            del counter[key]


def account_of(scope: Scope) -> Account:
    """The account of the connection that a request came by; one of its own under any server but ours."""
    account: Account | None = scope.get("state", {}).get(ACCOUNT)
    return Budget().open() if account is None else account
