"""What is held is counted for the process, the address and the person, and given back."""

import pytest

from chatroom.asgi.budget import Account, Budget, account_of


def account(budget: Budget, address: str = "192.0.2.1", person: str = "") -> Account:
    it = Account(budget)
    assert it.enter(address)
    it.person = person
    return it


@pytest.mark.parametrize(
    ("shares", "other"),
    [
        ({"per_person": 100}, {"person": "alice", "address": "192.0.2.2"}),
        ({"per_address": 100}, {"person": "bob", "address": "192.0.2.1"}),
        ({"in_all": 100}, {"person": "bob", "address": "192.0.2.2"}),
    ],
)
def test_a_share_is_held_together_and_given_back(shares: dict[str, int], other: dict[str, str]) -> None:
    """L13."""
    budget = Budget(**shares)
    first, second = account(budget, person="alice"), account(budget, **other)
    assert first.hold(60)
    assert not second.hold(60)
    assert second.hold(40)
    first.release(60)
    assert second.hold(60)
    second.release(100)
    assert not budget.held


def test_others_have_their_own() -> None:
    """L13."""
    budget = Budget(per_person=100, per_address=1000)
    assert account(budget, person="alice").hold(100)
    assert account(budget, person="bob").hold(100)
    assert account(budget, "192.0.2.2").hold(1000)


def test_a_single_request_may_exceed_the_share_but_not_the_total() -> None:
    """Else an answer that is larger than a share could never be given."""
    budget = Budget(per_person=100, per_address=100, in_all=1000)
    first, second = account(budget, person="alice"), account(budget, person="alice")
    assert first.hold(500)
    assert not second.hold(1)
    assert not first.hold(501)


def test_held_bytes_are_counted_for_the_authenticated_user() -> None:
    budget = Budget(per_person=100)
    first = account(budget)
    assert first.hold(80)
    first.person = "alice"  # as a thread finds out
    assert first.hold(20)
    assert not account(budget, person="alice").hold(1)
    first.release(100)
    first.close()
    assert not budget.held


def test_connections_of_an_address() -> None:
    """L15."""
    budget = Budget(connections_per_address=2)
    first, second, third = Account(budget), Account(budget), Account(budget)
    assert first.enter("192.0.2.1")
    assert second.enter("192.0.2.1")
    assert not third.enter("192.0.2.1")
    assert third.enter("192.0.2.2")
    second.leave()
    assert first.enter("192.0.2.1")  # again: it is still one
    assert second.enter("192.0.2.1")
    for each in (first, second, third):
        each.close()
    assert not budget.connections


def test_with_too_many_stalled_bytes_the_longest_stalled_reader_is_disconnected() -> None:
    """L13."""
    budget = Budget(per_person=100)
    cut: list[int] = []
    accounts = [account(budget, person="alice") for _ in range(3)]
    accounts[0].stall(60, lambda: cut.append(0))
    accounts[1].stall(30, lambda: cut.append(1))
    assert not cut
    accounts[2].stall(30, lambda: cut.append(2))
    assert cut == [0]
    for each in accounts:
        each.close()
    assert not budget.held


def test_a_full_budget_disconnects_stalled_readers() -> None:
    """L13."""
    budget = Budget(in_all=100)
    stalled = account(budget)
    stalled.stall(90, stalled.close)
    newcomer = account(budget, "192.0.2.2")
    assert not newcomer.hold(50)
    assert newcomer.hold(50)


def test_without_our_server_each_request_has_its_own() -> None:
    assert account_of({}).hold(10**12)
