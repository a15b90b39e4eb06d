import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from chatroom.base.errors import Refused
from chatroom.mongo.database import Database
from chatroom.outbound.fair_turns import FairTurns
from chatroom.outbound.push import MOST_BROWSERS, Push
from chatroom.outbound.subscriptions_store import SubscriptionStore
from tests.people import ALICE, BOB
from tests.subscribers import Browser

NOW = datetime(2026, 11, 21, 1, 2, 3, tzinfo=UTC)


class Service:
    """A push service."""

    def __init__(self, status: int = 201) -> None:
        self.status = status
        self.taken: list[tuple[str, dict[str, Any]]] = []

    def post(self, url: str, **options: Any) -> requests.Response:
        self.taken.append((url, options))
        if self.status == 0:
            raise OSError("nobody answers")
        response = requests.Response()
        response.status_code = self.status
        return response


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def quiet() -> set[str]:
    """The users who do not want to be disturbed."""
    return set()


@pytest.fixture
def push(database: Database, service: Service, quiet: set[str]) -> Push:
    for person in (ALICE, BOB):
        good = {"user_id": person.id, "expires_at": datetime.now(UTC) + timedelta(days=1)}
        database["sessions"].insert_one({"_id": f"session of {person.name}", **good})
    store = SubscriptionStore(database)
    made = Push(
        store,
        contact="mailto:a@b.c",
        poster=service,
        is_allowed=lambda host: host == "push.test",
        disturbable=lambda ids: set(ids) - quiet,
    )
    made.turns = FairTurns(lambda: 100.0)  # nobody is slow but who is said to be
    return made


def subscribe(push: Push, browser: Browser, person: Any = ALICE) -> None:
    push.subscribe(person.id, f"session of {person.name}", browser.endpoint, *browser.keys)


class TestSending:
    def test_the_browser_alone_can_read_it(self, push: Push, service: Service) -> None:
        browser = Browser()
        subscribe(push, browser)

        assert push.send([ALICE.id], {"title": "Bob", "body": "hi"}) == 1

        (url, options) = service.taken[0]
        assert url == browser.endpoint
        assert b"hi" not in options["data"]
        assert browser.read(options["data"]) == {"title": "Bob", "body": "hi"}
        assert options["headers"]["authorization"].startswith("vapid t=")
        assert f"k={push.public_key}" in options["headers"]["authorization"].replace(" ", "")

    def test_nobody_else_is_notified(self, push: Push, service: Service) -> None:
        subscribe(push, Browser("https://push.test/bobs"), BOB)

        assert push.send([ALICE.id], {"title": "x"}) == 0
        assert service.taken == []

    def test_nobody_is_disturbed_who_does_not_want_to_be(self, push: Push, service: Service, quiet: set[str]) -> None:
        for person in (ALICE, BOB):
            subscribe(push, Browser(f"https://push.test/{person.name}"), person)
        quiet.add(ALICE.id)
        assert push.send([ALICE.id, BOB.id], {"title": "x"}) == 1
        assert [url for url, _ in service.taken] == [f"https://push.test/{BOB.name}"]

    @pytest.mark.parametrize("status", [404, 410])
    def test_a_browser_that_is_gone_is_forgotten(self, push: Push, service: Service, status: int) -> None:
        subscribe(push, Browser())
        service.status = status

        assert push.send([ALICE.id], {"title": "x"}) == 0
        assert push.subscribers() == set()

    @pytest.mark.parametrize("status", [0, 429, 500])
    def test_a_service_in_trouble_is_tried_again_with_the_next(self, push: Push, service: Service, status: int) -> None:
        subscribe(push, Browser())
        service.status = status

        assert push.send([ALICE.id], {"title": "x"}) == 0
        assert push.subscribers() == {ALICE.id}

    def test_a_slow_service_delays_no_others(
        self, push: Push, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """P11: of somebody who has subscribed ten browsers whose service answers after nine seconds."""
        now = [100.0]
        monkeypatch.setattr(push.turns, "_clock", lambda: now[0])
        for n in range(10):
            subscribe(push, Browser(f"https://push.test/slow-{n}"))
        subscribe(push, Browser("https://push.test/bobs"), BOB)
        post = service.post

        def post_slowly(url: str, **options: Any) -> requests.Response:
            now[0] += 9 if "slow" in url else 0
            return post(url, **options)

        monkeypatch.setattr(service, "post", post_slowly)
        for _ in range(3):
            push.send([ALICE.id, BOB.id], {"title": "x"})
        assert sum("slow" in url for url, _ in service.taken) == 1
        assert sum("bobs" in url for url, _ in service.taken) == 3
        assert push.send_late() == 0
        now[0] += 91
        push.send([ALICE.id], {"title": "x"})
        assert sum("slow" in url for url, _ in service.taken) == 2

    def test_after_a_slow_answer_the_next_notifications_are_late_and_not_lost(
        self, push: Push, service: Service, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = [100.0]
        monkeypatch.setattr(push.turns, "_clock", lambda: now[0])
        subscribe(push, Browser("https://push.test/alices"))
        subscribe(push, Browser("https://push.test/bobs"), BOB)
        for person in (ALICE, BOB):
            push.turns._note(person.id, now[0], now[0] + 20)
        assert push.send([ALICE.id, BOB.id], {"title": "x"}) == 0
        database["sessions"].delete_one({"_id": f"session of {BOB.name}"})
        assert push.send_late() == 0
        now[0] += 21
        assert push.send_late() == 1
        assert [url for url, _ in service.taken] == ["https://push.test/alices"]
        assert push.send_late() == 0

    def test_the_library_is_loaded_only_for_a_notification(self, push: Push, monkeypatch: pytest.MonkeyPatch) -> None:
        """It needs 14 MB in each process."""
        monkeypatch.delitem(sys.modules, "pywebpush", raising=False)
        assert push.send([ALICE.id], {"title": "x"}) + push.send_late() == 0
        assert "pywebpush" not in sys.modules

    def test_an_ended_session_gets_no_notifications(self, push: Push, service: Service, database: Database) -> None:
        subscribe(push, Browser())
        database["sessions"].update_one({"user_id": ALICE.id}, {"$set": {"ended_at": datetime.now(UTC)}})

        assert push.send([ALICE.id], {"title": "x"}) == 0
        assert service.taken == []
        assert push.subscribers() == set()


class TestSubscribing:
    def test_the_same_browser_again_is_one(self, push: Push, service: Service) -> None:
        browser = Browser()
        for _ in range(2):
            subscribe(push, browser)

        assert push.send([ALICE.id], {"title": "x"}) == 1

    def test_the_next_user_of_a_browser_has_it(self, push: Push) -> None:
        browser = Browser()
        subscribe(push, browser, ALICE)
        subscribe(push, browser, BOB)

        assert push.subscribers() == {BOB.id}

    def test_the_newest_browsers_of_a_user_are_kept(self, push: Push) -> None:
        for number in range(MOST_BROWSERS + 3):
            subscribe(push, Browser(f"https://push.test/{number}"))

        assert push.send([ALICE.id], {"title": "x"}) == MOST_BROWSERS

    def test_only_ones_own_is_unsubscribed(self, push: Push) -> None:
        browser = Browser()
        subscribe(push, browser)
        push.unsubscribe(BOB.id, browser.endpoint)
        assert push.subscribers() == {ALICE.id}
        push.unsubscribe(ALICE.id, browser.endpoint)
        assert push.subscribers() == set()

    @pytest.mark.parametrize(
        "endpoint", ["http://push.test/x", "https://10.0.0.1/", "https://", "x", "https://push.test/" + "x" * 1000]
    )
    def test_an_address_that_no_browser_sends(self, push: Push, endpoint: str) -> None:
        with pytest.raises(Refused, match="address of the push service"):
            push.subscribe(ALICE.id, "s", endpoint, "p" * 87, "a" * 22)

    @pytest.mark.parametrize(("p256dh", "auth"), [("", "a" * 22), ("p" * 87, "$"), ("p" * 500, "a" * 22)])
    def test_keys_that_no_browser_sends(self, push: Push, p256dh: str, auth: str) -> None:
        with pytest.raises(Refused, match="keys"):
            push.subscribe(ALICE.id, "s", "https://push.test/x", p256dh, auth)

    def test_invalid_keys_affect_nobody_else(self, push: Push, service: Service) -> None:
        push.subscribe(ALICE.id, "session of Alice", "https://push.test/x", "p" * 87, "a" * 22)
        assert push.send([ALICE.id], {"title": "x"}) == 0


def test_every_process_has_the_same_key(database: Database, service: Service) -> None:
    keys = {
        Push(
            SubscriptionStore(database), contact="mailto:a@b.c", poster=service, is_allowed=bool, disturbable=set
        ).public_key
        for _ in range(3)
    }
    assert len(keys) == 1
