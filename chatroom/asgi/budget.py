"""Count the memory for received and unsent bytes: per connection, user, address and process.

Only `Account.person` may be used outside the event loop.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

BUDGET = "chatroom.asgi.budget"
ACCOUNT = "chatroom.account"
"""The keys of the budget in the server's state, and of the account in a connection's state."""

Scope = Mapping[str, Any]
Payer = tuple[str, str]
"""A user of memory: the kind (process, address or person), and an address or a user id."""
PROCESS, ADDRESS, PERSON = "process", "address", "person"


def peer_of(scope: Scope) -> str:
    """Return the address of the other end of the connection."""
    return scope["client"][0] if scope.get("client") else ""


class Budget:
    """The limits of one process: memory in bytes, and connections per address. 0 means no limit.

    `address_of` finds the address of a request's client, also behind proxies.
    """

    def __init__(
        self,
        *,
        in_all: int = 0,
        per_address: int = 0,
        per_person: int = 0,
        connections_per_address: int = 0,
        address_of: Callable[[Scope], str] = peer_of,
        is_behind_proxies: bool = False,
    ) -> None:
        self.address_of = address_of
        self.is_behind_proxies = is_behind_proxies
        self.connections: Counter[str] = Counter()
        self.held: Counter[Payer] = Counter()
        self.most_connections = connections_per_address
        self._most = {PROCESS: in_all, ADDRESS: per_address, PERSON: per_person}
        self.stalled: dict[Account, Callable[[], None]] = {}
        """The connections with a stalled reader, the longest stall first. Each has a function that closes it."""

    def find_full(self, account: "Account", size: int) -> Payer | None:
        """Return a payer that would exceed its limit, or None. A payer's only connection has one limit: PROCESS."""
        for payer in account.payers:
            kind, held = payer[0], self.held[payer]
            if 0 < self._most[kind] < held + size and (kind == PROCESS or held > account.size):
                return payer
        return None

    def add(self, payers: tuple[Payer, ...], size: int) -> None:
        """Add bytes to the count of each payer."""
        for payer in payers:
            self.held[payer] += size
            if not self.held[payer]:
                del self.held[payer]

    def cut_longest(self, payer: Payer) -> None:
        """Close the longest-stalled connection of this payer, if there is one."""
        account = next((account for account in self.stalled if payer in account.payers), None)
        if account is not None:
            self.stalled.pop(account)()


class Account:
    """The memory of one connection. Its payers are the process, the address, and the person if known."""

    __slots__ = ("_budget", "_is_counted", "_unread", "address", "payers", "person", "size")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._is_counted = False
        self._unread = 0
        self.address = ""
        self.person = ""
        """The id of the logged-in user. Any thread may set it. It takes effect at the next count."""
        self.size = 0
        self.payers: tuple[Payer, ...] = ()

    def enter(self, address: str) -> bool:
        """Count the connection for an address. If the address has too many, return False without counting."""
        self.leave()
        self.address, self.person = address, ""
        most = self._budget.most_connections
        self._is_counted = not 0 < most <= self._budget.connections[address]
        self._budget.connections[address] += self._is_counted
        return self._is_counted

    def leave(self) -> None:
        """Stop counting the connection for its address."""
        if self._is_counted:
            self._is_counted = False
            self._budget.connections[self.address] -= 1
            if not self._budget.connections[self.address]:
                del self._budget.connections[self.address]

    def hold(self, size: int) -> bool:
        """Count bytes. If a limit would be exceeded, return False without counting."""
        self._settle()
        full = self._budget.find_full(self, size)
        if full is not None:
            if full[0] == PROCESS:
                self._budget.cut_longest(full)  # frees memory in a moment
            return False
        self.size += size
        self._budget.add(self.payers, size)
        return True

    def release(self, size: int) -> None:
        """Stop counting bytes."""
        self.size -= size
        self._budget.add(self.payers, -size)

    def stall(self, unread: int, cut: Callable[[], None]) -> None:
        """Count a stalled reader's unsent bytes. If a payer exceeds its limit, close its longest-stalled connection."""
        self._settle()
        self._budget.stalled[self] = cut
        full = self._budget.find_full(self, unread)
        if full is not None:
            self._budget.cut_longest(full)
        self._unread = unread
        self.size += unread
        self._budget.add(self.payers, unread)

    def flow(self) -> None:
        """Stop counting unsent bytes: the reader reads again, or has disconnected."""
        self._budget.stalled.pop(self, None)
        if self._unread:
            self.release(self._unread)
            self._unread = 0

    def close(self) -> None:
        """Stop counting the closed connection and its unsent bytes. Bytes of `hold` stay counted until `release`."""
        self.flow()
        self.leave()

    def _settle(self) -> None:
        """Move the counted bytes to the current payers."""
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
    """Add one to the count of a key during the block."""
    counter[key] += 1
    try:
        yield
    finally:
        counter[key] -= 1
        if not counter[key]:
            del counter[key]


def account_of(scope: Scope) -> Account:
    """Return the account of a request's connection; under another ASGI server, return a new account without limits."""
    account: Account | None = scope.get("state", {}).get(ACCOUNT)
    return Account(Budget()) if account is None else account
