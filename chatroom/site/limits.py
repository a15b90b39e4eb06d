"""Rate limits. All processes count log-ins and registrations together. Each process counts everything else separately.

A refusal states the time to wait. `0` turns a limit off.
"""

import hashlib
import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext

from limits import RateLimitItem, parse_many
from limits.storage import Storage
from limits.strategies import MovingWindowRateLimiter

from chatroom.base.addresses import network_of
from chatroom.base.config import Settings
from chatroom.base.errors import Refused
from chatroom.site.limits_store import MemoryWindows
from chatroom.site.metrics import NO_METRICS, Metrics

Guard = Callable[[], AbstractContextManager[None]]
"""Bounds a call of the storage, and turns its failure into `Unavailable`."""

ACQUIRE_TRIES = 3
SHORTEST_WAIT = 0.1
COMING = "20 per minute; 200 per hour"
"""Limits on the rooms that one account joins. Each join is announced to all members."""
LOOKING = "60 per minute; 1000 per hour"
"""Limits on the cards of people that one account opens."""
OPENING = "30 per hour; 100 per day"
"""Limits on the direct conversations that one account begins. Nobody can leave a direct conversation."""
PREVIEWS = "20 per 10 seconds"
"""The limit on the previews of one account. Rendering code and formulas is slow."""


class Limit:
    """Limits on one kind of attempt. `text` is like `10 per 15 minutes`; `;` separates limits, and `0` is no limit."""

    def __init__(self, text: str, name: str, storage: Storage, *, clock: Callable[[], float] = time.time) -> None:
        self._items: list[RateLimitItem] = [] if text == "0" else parse_many(text)
        self._name = name
        self._limiter = MovingWindowRateLimiter(storage)
        self._clock = clock

    def hit(self, *key: str) -> float:
        """Count an attempt and return 0. After too many attempts, return the seconds to wait."""
        for item in self._items:
            if not self._acquire(item, key):
                return max(self._wait(item, key), SHORTEST_WAIT)
        return 0.0

    def wait(self, *key: str) -> float:
        """Return the seconds to wait before the next attempt; 0 if it may be made now."""
        return max((self._wait(item, key) for item in self._items), default=0.0)

    def clear(self, *key: str) -> None:
        """Forget the attempts of a key."""
        for item in self._items:
            self._limiter.clear(item, self._name, *key)

    def keys(self, *key: str) -> Iterator[tuple[str, int, int]]:
        """For each window, yield the storage key, the maximum number of attempts, and the length in seconds."""
        for item in self._items:
            yield item.key_for(self._name, *key), item.amount, item.get_expiry()

    def _acquire(self, item: RateLimitItem, key: tuple[str, ...]) -> bool:
        for _ in range(ACQUIRE_TRIES):
            if self._limiter.hit(item, self._name, *key):
                return True
            # If two calls insert a new key at once, one insert fails. The library reports this as a full window.
            if self._limiter.get_window_stats(item, self._name, *key).remaining <= 0:
                break
        return False

    def _wait(self, item: RateLimitItem, key: tuple[str, ...]) -> float:
        stats = self._limiter.get_window_stats(item, self._name, *key)
        return 0.0 if stats.remaining > 0 else max(0.0, stats.reset_time - self._clock())


class AddressLimit(Limit):
    """A limit for each network: the addresses of one network are counted together."""

    def hit(self, *key: str) -> float:
        """Count an attempt from an address, as `Limit.hit` does."""
        return super().hit(*map(network_of, key))

    def wait(self, *key: str) -> float:
        """Return the seconds to wait before the next attempt from an address."""
        return super().wait(*map(network_of, key))


class LoginLimit:
    """Failed log-ins, counted for each account and each address.

    An address from which the user logged in recently has a separate count. So strangers cannot lock the user out.
    """

    def __init__(
        self, account: Limit, address: AddressLimit, guard: Guard = nullcontext, *, metrics: Metrics = NO_METRICS
    ) -> None:
        self._account = account
        self._address = address
        self._guard = guard
        self._metrics = metrics

    def enter(self, username_key: str, address: str, *, is_known_address: bool) -> None:
        """Count an attempt before the password is checked. After too many attempts, raise `Refused` (`too_fast`)."""
        with self._guard():
            # The attempt is counted before the check, because a hundred attempts may be made at once. After a success,
            # it is forgotten.
            wait = self._address.wait(address) or self._account.hit(*_account(username_key, address, is_known_address))
        if wait:
            raise too_fast("There were too many attempts to log in.", wait)

    def fail(self, address: str) -> None:
        """Count a failure for the address."""
        self._metrics.logged_in("failure")
        with self._guard():
            self._address.hit(address)

    def succeed(self, username_key: str, address: str, *, is_known_address: bool) -> None:
        """Forget the attempts for the account, after its owner has logged in."""
        self._metrics.logged_in("success")
        with self._guard():
            self._account.clear(*_account(username_key, address, is_known_address))


class RegistrationLimit:
    """Registrations, for each address."""

    def __init__(self, address: AddressLimit, guard: Guard = nullcontext) -> None:
        self._address = address
        self._guard = guard

    def enter(self, address: str) -> None:
        """Count a registration. After too many registrations, raise `Refused` (`too_fast`)."""
        with self._guard():
            wait = self._address.hit(address)
        if wait:
            raise too_fast("Too many accounts were registered from your network.", wait)


class AccountLimit:
    """A limit for each account and each address in this process. It never blocks the event loop.

    `complaint` is the first sentence of a refusal.
    """

    def __init__(
        self, account: str, complaint: str, *, address: str = "0", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._complaint = complaint
        self._storage = MemoryWindows(clock)
        self._account = Limit(account, "account", self._storage, clock=clock)
        self._address = AddressLimit(address, "address", self._storage, clock=clock)

    def check(self, user_id: str, address: str = "") -> None:
        """Count an attempt. After too many attempts, raise `Refused` (`too_fast`)."""
        if wait := self._account.hit(user_id) or self._address.hit(address):
            raise too_fast(self._complaint, wait)

    def record(self, user_id: str) -> None:
        """Count a post that was made through another process."""
        for key, amount, seconds in self._account.keys(user_id):
            self._storage.add(key, amount, seconds)


class Limits:
    """All rate limits. `storage` counts for all processes; an `AccountLimit` counts only in this process."""

    def __init__(
        self, settings: Settings, storage: Storage, guard: Guard = nullcontext, *, metrics: Metrics = NO_METRICS
    ) -> None:
        self.login = LoginLimit(
            Limit(settings.login_limit_account, "login-account", storage),
            AddressLimit(settings.login_limit_address, "login-address", storage),
            guard,
            metrics=metrics,
        )
        self.registration = RegistrationLimit(
            AddressLimit(settings.register_limit_address, "register-address", storage), guard
        )
        self.posting = AccountLimit(
            settings.post_limit_account, "You are sending too fast.", address=settings.post_limit_address
        )
        self.uploading = AccountLimit(
            settings.upload_limit_account,
            "You have uploaded many files in a short time.",
            address=settings.upload_limit_address,
        )
        self.export = AccountLimit(settings.export_limit_account, "You have started many downloads.")
        self.reporting = AccountLimit(settings.report_limit_account, "You have reported many messages lately.")
        self.search = AccountLimit(settings.search_limit_account, "You are searching too fast.")
        self.coming = AccountLimit(COMING, "You have joined many rooms in a short time.")
        self.previewing = AccountLimit(PREVIEWS, "You have asked for many previews in a short time.")
        self.looking = AccountLimit(LOOKING, "You have looked at many people in a short time.")
        self.opening = AccountLimit(OPENING, "You have started many conversations in a short time.")


def too_fast(what: str, wait: float) -> Refused:
    """Return a refusal that states the time to wait."""
    return Refused("too_fast", f"{what} Please try again in {in_words(wait)}.", retry_after=round(wait, 1))


def in_words(seconds: float) -> str:
    """Return a duration in words, rounded up."""
    whole = max(1, math.ceil(seconds))
    if whole < 120:
        return f"{whole} second{'s' if whole > 1 else ''}"
    if whole < 120 * 60:
        return f"{math.ceil(whole / 60)} minutes"
    return f"{math.ceil(whole / 3600)} hours"


def _account(username_key: str, address: str, is_known_address: bool) -> tuple[str, ...]:
    """Return the key of the counter. The name is hashed, because the user may have typed a password as the name."""
    name = hashlib.sha256(username_key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return (name, network_of(address)) if is_known_address else (name,)
