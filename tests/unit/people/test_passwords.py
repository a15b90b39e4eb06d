import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatroom.base.errors import Refused
from chatroom.base.threads import LOWER_PRIORITY, worker_count
from chatroom.people.passwords import Passwords, make_hasher
from tests.waiting import PATIENCE_SECONDS, wait_until

ROUNDS = 4


@pytest.fixture(scope="module")
def passwords() -> Iterator[Passwords]:
    made = Passwords(make_hasher(), rounds=ROUNDS, known_words=("Our Corner",))
    yield made
    made.close()


@pytest.mark.parametrize(
    "password", ["a" * 8 + "é", "x" * 64, "y" * 72, "z" * 73, "€" * 25, "€" * 64, "密" * 8, "w" * 256, "new\0word"]
)
def test_any_script_and_up_to_256_characters(passwords: Passwords, password: str) -> None:
    """A02."""
    passwords.check_choice(password)
    assert passwords.verify(password, passwords.hash(password))


@pytest.mark.parametrize("password", ["", "1234567", "x" * 257, "€" * 7, "\ud800" * 10])
def test_too_short_too_long_and_no_text_is_refused(passwords: Passwords, password: str) -> None:
    """A02."""
    with pytest.raises(Refused) as refusal:
        passwords.check_choice(password)
    assert refusal.value.reason == "invalid"


def test_nothing_is_cut_off(passwords: Passwords) -> None:
    """A02: not at 72 bytes, where bcrypt itself stops."""
    password = "x" * 80
    assert not passwords.verify(password[:72], passwords.hash(password))


def test_nothing_is_cut_off_at_a_nul(passwords: Passwords) -> None:
    """A04."""
    kept = passwords.hash("ab\0cdefgh")
    assert not passwords.verify("ab", kept)
    assert not passwords.verify("ab\0xxxxxx", kept)
    assert passwords.verify("ab\0cdefgh", kept)


def test_the_hash_is_bcrypt(passwords: Passwords) -> None:
    """A01."""
    assert passwords.hash("correct horse").startswith(f"$2b${ROUNDS:02d}$")


def test_every_keyboard_makes_the_same_password(passwords: Passwords) -> None:
    """Decision 40: NFKC."""
    assert passwords.verify("cafe\u0301 ｏｌｅ", passwords.hash("café ole"))


@pytest.mark.parametrize("password", ["x" * 73, "x" * 10_000, "", "\ud800", "x\0y"])
@pytest.mark.parametrize("is_known", [True, False])
def test_odd_input_is_a_wrong_password(passwords: Passwords, password: str, is_known: bool) -> None:
    """A03."""
    kept = passwords.hash("correct horse") if is_known else None
    assert not passwords.verify(password, kept)


@settings(max_examples=200, deadline=None)
@given(password=st.text(alphabet=st.characters(exclude_categories=()), max_size=300))
def test_no_text_makes_it_raise(passwords: Passwords, password: str) -> None:
    """A03: nor is anything but the password right."""
    assert not passwords.verify(password, "$2b$04$" + "." * 22 + "O" * 31)


@pytest.mark.parametrize("kept", ["x", "", None, {}, 7, "$2b$12$short", "$2b$99$" + "a" * 53, "plain"])
def test_a_damaged_hash_is_a_wrong_password(passwords: Passwords, kept: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A11: and one error in the log, without the hash; an unknown user is no error."""
    assert not passwords.verify("correct horse", kept)
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == (0 if kept is None else 1)


def test_the_dummy_hash_is_checked_in_full(passwords: Passwords) -> None:
    """A05: an unknown user costs one check, at the cost that is set."""
    checked = []

    class Spy:
        def generate_password_hash(self, password: str, rounds: int) -> bytes:
            raise AssertionError

        def check_password_hash(self, pw_hash: str, password: str) -> bool:
            checked.append(pw_hash)
            return make_hasher().check_password_hash(pw_hash, password)

    spied = Passwords(Spy(), rounds=5)
    assert not spied.verify("correct horse", None)
    assert not spied.verify("x" * 1000, None)
    spied.close()
    assert [kept[:7] for kept in checked] == ["$2b$05$", "$2b$05$"]


@pytest.mark.parametrize(
    "password",
    [
        "password",
        "Password1",
        "12345678",
        "password2026!",
        "BASEBALL",
        "chatroom1",
        "ourcorner",
        "Our Corner!",
        "alice-1!",
        "alicealice",
        "ａｌｉｃｅ１２３",
    ],
)
def test_common_passwords_and_names_are_refused(passwords: Passwords, password: str) -> None:
    """A10."""
    with pytest.raises(Refused) as refusal:
        passwords.check_choice(password, ("Alice", "Al"))
    assert refusal.value.reason == "invalid"


@pytest.mark.parametrize(
    "password", ["alice in wonderland", "qzkvbw jhgfd", "aaaa bbbb", "correct horse", "ungewöhnlich"]
)
def test_no_rules_of_composition(passwords: Passwords, password: str) -> None:
    """A10: no digits, capitals or signs are asked for."""
    passwords.check_choice(password, ("Alice",))


def test_a_hash_of_another_cost_is_outdated(passwords: Passwords) -> None:
    """A11."""
    kept = passwords.hash("correct horse")
    assert not passwords.is_outdated(kept)
    assert Passwords(make_hasher(), rounds=5).is_outdated(kept)


def test_nothing_to_hash_is_refused(passwords: Passwords) -> None:
    for password in ("", "\ud800"):
        with pytest.raises(Refused):
            passwords.hash(password)


class Slow:
    """A hasher that waits until it may go on."""

    def __init__(self) -> None:
        self.may_go_on = threading.Event()
        self.started = threading.Semaphore(0)
        self.priorities: list[int] = []

    def generate_password_hash(self, password: str, rounds: int) -> bytes:
        self.priorities.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        self.started.release()
        self.may_go_on.wait(PATIENCE_SECONDS)
        return b"hash"

    def check_password_hash(self, pw_hash: str, password: str) -> bool:
        return False


def test_excess_requests_are_refused_with_a_retry_time() -> None:
    """A09: and once there is room again, the next one is served."""
    slow = Slow()
    busy = Passwords(slow, rounds=ROUNDS)
    places = worker_count() + 1
    waiting = [threading.Thread(target=busy.hash, args=("correct horse",)) for _ in range(places)]
    try:
        for thread in waiting:
            thread.start()
        assert slow.started.acquire(timeout=PATIENCE_SECONDS)
        wait_until(lambda: not busy._workers._places._free._value, "the last one does not wait")
        with pytest.raises(Refused) as refusal:
            busy.hash("correct horse")
    finally:
        slow.may_go_on.set()
    for thread in waiting:
        thread.join()
    assert refusal.value.reason == "busy"
    assert refusal.value.retry_after
    assert busy.hash("correct horse") == "hash"
    busy.close()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads have a priority of their own on Linux alone")
def test_hashing_leaves_the_processor_to_the_conversation() -> None:
    """A09."""
    slow = Slow()
    slow.may_go_on.set()
    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    passwords = Passwords(slow, rounds=ROUNDS)
    passwords.hash("correct horse")
    passwords.close()
    assert slow.priorities == [max(before, LOWER_PRIORITY)]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before
