from collections.abc import Callable
from typing import Any

import pytest

from chatroom.base.config import Settings
from chatroom.base.errors import Refused
from chatroom.site.limits import (
    AccountLimit,
    AddressLimit,
    Limit,
    Limits,
    LoginLimit,
    RegistrationLimit,
    in_words,
)
from chatroom.site.limits_store import SWEEP_EVERY, MemoryWindows
from tests.conftest import Clock

HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"


def login_limit(clock: Clock, account: str = "3 per minute", address: str = "5 per minute") -> LoginLimit:
    windows = MemoryWindows(clock.seconds)
    return LoginLimit(
        Limit(account, "account", windows, clock=clock.seconds),
        AddressLimit(address, "address", windows, clock=clock.seconds),
    )


def try_to_log_in(limit: LoginLimit, name: str = "alice", address: str = HOME, *, known: bool = False) -> None:
    limit.enter(name, address, is_known_address=known)
    limit.fail(address)


def test_a_window_moves(clock: Clock) -> None:
    limit = Limit("2 per minute", "x", MemoryWindows(clock.seconds), clock=clock.seconds)
    assert limit.hit("a") == 0
    clock.advance(seconds=20)
    assert limit.hit("a") == 0
    assert limit.wait("a") == limit.hit("a") == 40
    assert limit.hit("b") == 0
    clock.advance(seconds=41)
    assert limit.wait("a") == 0
    assert limit.hit("a") == 0
    assert limit.hit("a") == pytest.approx(19)


def test_several_limits_and_none(clock: Clock) -> None:
    windows = MemoryWindows(clock.seconds)
    both = Limit("2 per second; 3 per minute", "x", windows, clock=clock.seconds)
    assert [both.hit("a") for _ in range(3)] == [0, 0, 1]
    clock.advance(seconds=2)
    assert both.hit("a") == 0
    clock.advance(seconds=2)
    assert both.hit("a") == 56
    off = Limit("0", "y", windows, clock=clock.seconds)
    assert not any(off.hit("a") for _ in range(1000))
    assert off.wait("a") == 0


def test_an_account_is_locked_for_a_while_wherever_the_attempts_come_from(clock: Clock) -> None:
    """A07."""
    limit = login_limit(clock, address="0")
    for number in range(3):
        try_to_log_in(limit, address=f"203.0.113.{number}")
    with pytest.raises(Refused) as refusal:
        try_to_log_in(limit, address=ELSEWHERE)
    assert refusal.value.reason == "too_fast"
    assert refusal.value.retry_after == 60
    assert "60 seconds" in refusal.value.message
    try_to_log_in(limit, name="bob")
    clock.advance(seconds=61)
    try_to_log_in(limit)


def test_the_owner_is_not_locked_out_by_strangers(clock: Clock) -> None:
    """A07: where the owner was signed in not long ago, only what fails there counts."""
    limit = login_limit(clock, address="0")
    for _ in range(3):
        try_to_log_in(limit, address=ELSEWHERE)
    for _ in range(3):
        try_to_log_in(limit, address=HOME, known=True)
    with pytest.raises(Refused):
        try_to_log_in(limit, address=HOME, known=True)


def test_a_success_forgets_the_accounts_failures(clock: Clock) -> None:
    limit = login_limit(clock)
    for _ in range(2):
        try_to_log_in(limit)
    limit.enter("alice", HOME, is_known_address=False)
    limit.succeed("alice", HOME, is_known_address=False)
    for _ in range(3):
        limit.enter("alice", HOME, is_known_address=False)


def test_an_address_is_locked_whatever_the_account(clock: Clock) -> None:
    limit = login_limit(clock)
    for number in range(5):
        try_to_log_in(limit, name=f"user{number}")
    with pytest.raises(Refused):
        try_to_log_in(limit, name="alice")
    try_to_log_in(limit, name="alice", address=ELSEWHERE)


BY_ADDRESS: dict[str, Callable[[Limits, str, str], None]] = {
    "log-ins": lambda limits, name, address: try_to_log_in(limits.login, name, address),
    "log-ins to one account": lambda limits, _, address: try_to_log_in(limits.login, "alice", address, known=True),
    "registrations": lambda limits, _, address: limits.registration.enter(address),
    "posts": lambda limits, name, address: limits.posting.check(name, address),
    "uploads": lambda limits, name, address: limits.uploading.check(name, address),
}


@pytest.mark.parametrize("attempt", BY_ADDRESS.values(), ids=BY_ADDRESS)
def test_a12_a_64_is_one_address(attempt: Callable[[Limits, str, str], None]) -> None:
    """A12: whoever has one has as many addresses as they like."""
    few: dict[str, Any] = {field: "3 per hour" for field in Settings.__struct_fields__ if "limit_a" in field}
    limits = Limits(Settings(**few), MemoryWindows())
    for number in range(3):
        attempt(limits, f"user{number}", f"2001:db8:1:2::{number}")
    with pytest.raises(Refused):
        attempt(limits, "user3", "2001:db8:1:2:3:4:5:6")
    attempt(limits, "user4", "2001:db8:1:3::1")


def test_registrations_are_counted_by_address(clock: Clock) -> None:
    limit = RegistrationLimit(AddressLimit("2 per hour", "x", MemoryWindows(clock.seconds), clock=clock.seconds))
    for _ in range(2):
        limit.enter(HOME)
    with pytest.raises(Refused, match="60 minutes"):
        limit.enter(HOME)
    limit.enter(ELSEWHERE)


def test_posts_are_counted_by_account_and_by_address(clock: Clock) -> None:
    """L08."""
    limit = AccountLimit("3 per second", "Too fast.", address="4 per second", clock=clock.seconds)
    for _ in range(3):
        limit.check("alice", HOME)
    with pytest.raises(Refused) as refusal:
        limit.check("alice", ELSEWHERE)
    assert refusal.value.reason == "too_fast"
    assert refusal.value.retry_after == 1.0
    limit.check("bob", HOME)
    with pytest.raises(Refused):
        limit.check("bob", HOME)
    clock.advance(seconds=1.01)
    limit.check("alice", HOME)


def test_posts_through_other_processes_count_too(clock: Clock) -> None:
    """L08: they are never refused, because they have happened."""
    limit = AccountLimit("3 per second", "Too fast.", clock=clock.seconds)
    for _ in range(10):
        limit.record("alice")
    with pytest.raises(Refused):
        limit.check("alice", HOME)
    clock.advance(seconds=1.01)
    limit.check("alice", HOME)


def test_without_limits_everything_passes(clock: Clock) -> None:
    limits = Limits(
        Settings(
            login_limit_account="0",
            login_limit_address="0",
            register_limit_address="0",
            post_limit_account="0",
            post_limit_address="0",
        ),
        MemoryWindows(clock.seconds),
    )
    for _ in range(200):
        try_to_log_in(limits.login)
        limits.registration.enter(HOME)
        limits.posting.check("alice", HOME)
        limits.posting.record("alice")


def test_memory_does_not_grow_with_one_time_visitors(clock: Clock) -> None:
    """I7."""
    limit = AccountLimit("3 per second", "Too fast.", clock=clock.seconds)
    for number in range(SWEEP_EVERY + 100):
        limit.check(f"user{number}", HOME)
        clock.advance(seconds=0.01)
    assert len(limit._storage._events) < 400


class Racing(MemoryWindows):
    """Two upserts of one new key at the same moment: MongoDB refuses one of them, as if the window were full."""

    def __init__(self, clock: Clock, refusals: int) -> None:
        super().__init__(clock.seconds)
        self.refusals = refusals

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        self.refusals -= 1
        return self.refusals < 0 and super().acquire_entry(key, limit, expiry, amount)


@pytest.mark.parametrize(("refusals", "wait"), [(1, 0), (2, 0), (100, 0.1)])
def test_a_race_is_not_a_full_window(clock: Clock, refusals: int, wait: float) -> None:
    """A08: it is tried again, and in the end somebody waits for a moment rather than for the whole window."""
    assert Limit("5 per minute", "x", Racing(clock, refusals), clock=clock.seconds).hit("alice") == wait


def test_windows_as_the_library_wants_them(clock: Clock) -> None:
    windows = MemoryWindows(clock.seconds)
    assert windows.check()
    assert windows.acquire_entry("a", 1, 60)
    assert windows.get_moving_window("b", 1, 60) == (clock.seconds(), 0)
    windows.clear("a")
    assert windows.acquire_entry("a", 1, 60)
    assert not windows.acquire_entry("a", 1, 60)
    assert windows.reset() == 2
    with pytest.raises(NotImplementedError):
        windows.get("a")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.1, "1 second"),
        (1.2, "2 seconds"),
        (119, "119 seconds"),
        (121, "3 minutes"),
        (899, "15 minutes"),
        (9000, "3 hours"),
    ],
)
def test_waiting_times_are_shown_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
