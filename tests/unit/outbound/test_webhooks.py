"""Webhooks: who makes them, and how what is posted reaches those that are told."""

import base64
import hmac
import json
import socket
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import pytest

from chatroom.base.errors import Refused, Unavailable
from chatroom.base.models import Author, Hook
from chatroom.outbound import public_http
from chatroom.outbound.deliveries import Deliveries, signature
from chatroom.outbound.fair_turns import FairTurns
from chatroom.outbound.formats.bodies import Said
from chatroom.outbound.hooks_store import HookStore
from chatroom.outbound.public_http import Answer, Forbidden, PublicHttp
from chatroom.rooms.access import LOBBY
from chatroom.services import Services
from chatroom.site.leases_store import LeaseStore
from tests.conftest import Clock
from tests.messaging import new_draft
from tests.people import ALICE, BOB, access
from tests.waiting import wait_until

MANAGER = access(ALICE, LOBBY, "administrator")


class Poster:
    """The world outside, as it answers here."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, bytes, dict[str, str]]] = []
        self.answers: list[int | OSError] = []

    def post(self, url: str, *, data: Any, headers: dict[str, str], timeout: float) -> Answer:
        self.posted.append((url, data, headers))
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, OSError):
            raise answer
        return Answer(answer, "", {})

    @property
    def texts(self) -> list[str]:
        return [json.loads(body)["message"]["text"] for _, body, _ in self.posted]


@pytest.fixture
def poster() -> Poster:
    return Poster()


@pytest.fixture
def store(services: Services) -> HookStore:
    return HookStore(services.database)


@pytest.fixture
def deliveries(services: Services, store: HookStore, poster: Poster, clock: Clock) -> Deliveries:
    leases = LeaseStore(services.database, holder="here", clock=clock)
    made = Deliveries(
        store,
        services.messages.store,
        leases,
        lambda *arguments, **options: poster.post(*arguments, **options),
        find_room=services.rooms.store.find,
        find_manager=lambda _hook, _room: MANAGER,
        clock=clock,
    )
    made.turns = FairTurns(clock.seconds)
    return made


def make(services: Services, monkeypatch: pytest.MonkeyPatch, *, trigger: str = "") -> str:
    monkeypatch.setattr(services.outbound.webhooks, "_is_allowed", lambda host: True)
    return services.outbound.webhooks.make_outgoing(MANAGER, ALICE, "Logs", "https://logs.test/in", trigger)


def say(services: Services, *texts: str, author: Author = ALICE) -> None:
    for text in texts:
        services.messages.writer.post(LOBBY, new_draft(author, text))


class TestDelivering:
    @pytest.fixture(autouse=True)
    def key(self, services: Services, monkeypatch: pytest.MonkeyPatch) -> str:
        say(services, "before it was made")
        return make(services, monkeypatch)

    def test_posts_are_delivered_once_and_in_order(
        self, services: Services, deliveries: Deliveries, store: HookStore, poster: Poster
    ) -> None:
        say(services, "one", "two")
        for _ in range(2):
            deliveries.deliver_all()
        assert poster.texts == ["one", "two"]
        say(services, "three")
        deliveries.deliver_all()
        assert poster.texts == ["one", "two", "three"]

    def test_it_is_signed(
        self, services: Services, deliveries: Deliveries, store: HookStore, poster: Poster, key: str
    ) -> None:
        say(services, "hello")
        deliveries.deliver_all()
        [(url, body, headers)] = poster.posted
        assert url == "https://logs.test/in"
        signed = ".".join([headers["webhook-id"], headers["webhook-timestamp"], body.decode()])
        mac = hmac.digest(base64.b64decode(key.removeprefix("whsec_")), signed.encode(), sha256)
        assert headers["webhook-signature"] == f"v1,{base64.b64encode(mac).decode()}"
        told = json.loads(body)
        assert headers["webhook-id"] == f"{told['message']['id']}-{told['hook']}"
        assert (told["room"], told["message"]["author"]["name"]) == ("lobby", "Alice")

    def test_the_url_safe_key_of_an_older_version_signs(self) -> None:
        plain = signature("whsec_ab+/" + "A" * 28, "1", "2", b"{}")
        assert signature("whsec_ab-_" + "A" * 28, "1", "2", b"{}") == plain

    @pytest.mark.parametrize("answer", [500, 302, 404, OSError("no"), Forbidden("The address is not public.")], ids=str)
    def test_a_failed_delivery_is_retried_later_and_continues(
        self, services: Services, deliveries: Deliveries, store: HookStore, poster: Poster, clock: Clock, answer: Any
    ) -> None:
        """P08: redirects are not followed."""
        poster.answers = [answer, answer]
        say(services, "one", "two")
        deliveries.deliver_all()
        deliveries.deliver_all()
        assert poster.texts == ["one"]
        [hook] = services.outbound.webhooks.list_for(MANAGER)
        assert hook.last_error
        clock.advance(seconds=5)
        deliveries.deliver_all()
        clock.advance(seconds=5)
        deliveries.deliver_all()
        assert poster.texts == ["one", "one"]  # the second pause is longer
        clock.advance(seconds=5)
        deliveries.deliver_all()
        assert poster.texts == ["one", "one", "one", "two"]
        [hook] = services.outbound.webhooks.list_for(MANAGER)
        assert (hook.last_error, hook.attempts, hook.failing_since) == ("", 0, None)

    def test_after_three_days_it_is_given_up(
        self, services: Services, deliveries: Deliveries, store: HookStore, poster: Poster, clock: Clock
    ) -> None:
        poster.answers = [500] * 1000
        say(services, "one")
        for _ in range(100):
            deliveries.deliver_all()
            clock.advance(hours=1)
        [hook] = services.outbound.webhooks.list_for(MANAGER)
        assert hook.given_up_at is not None
        assert hook.failing_since is not None
        assert hook.given_up_at - hook.failing_since >= timedelta(days=3)
        assert hook.last_error == "The answer was 500"
        assert len(poster.posted) < 90

    def test_a_410_stops_the_webhook(
        self, services: Services, deliveries: Deliveries, store: HookStore, poster: Poster
    ) -> None:
        poster.answers = [410]
        say(services, "one")
        deliveries.deliver_all()
        assert store.list_outgoing() == []

    def test_messages_of_programs_are_not_delivered(
        self, services: Services, deliveries: Deliveries, store: HookStore, poster: Poster
    ) -> None:
        """P09: or two webhooks would talk with each other for ever."""
        say(services, "beep", author=Author("b", "Robot", is_bot=True))
        say(services, "hello")
        deliveries.deliver_all()
        assert poster.texts == ["hello"]

    def test_an_edit_or_a_deletion_before_the_delivery(
        self, services: Services, deliveries: Deliveries, store: HookStore, poster: Poster
    ) -> None:
        say(services, "one", "two", "three")
        first, second, _ = services.messages.store.newest(LOBBY.id, 3)
        services.messages.writer.change(LOBBY, services.messages.changes.editing(MANAGER, first.id, "one!"))
        services.messages.writer.change(LOBBY, services.messages.changes.deleting(MANAGER, second.id))
        deliveries.deliver_all()
        deliveries.deliver_all()
        assert poster.texts == ["one!", "three"]

    def test_an_outage_loses_nothing(
        self,
        services: Services,
        deliveries: Deliveries,
        store: HookStore,
        poster: Poster,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        say(services, "one")
        with monkeypatch.context() as away:

            def note(*_: Any, **__: Any) -> None:
                raise Unavailable("away")

            away.setattr(store, "note", note)
            deliveries.deliver_all()
        deliveries.deliver_all()
        assert poster.texts == ["one", "one"]  # at least once

    def test_in_rooms_that_have_come_further_than_one_question_reads(
        self, services: Services, deliveries: Deliveries, poster: Poster, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("chatroom.messages.log_store.MAX_HINTS", 3)
        for texts in (["one", "two", "three", "four"], ["five"]):
            say(services, *texts)
            deliveries.deliver_all()
        assert poster.texts == ["one", "two", "three", "four", "five"]

    def test_a_process_without_the_lease_stops_between_two_posts(
        self, services: Services, deliveries: Deliveries, poster: Poster, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        say(services, "one", "two")
        may_go_on = iter([True, False])
        monkeypatch.setattr(deliveries.thread, "may_go_on", lambda: next(may_go_on))
        deliveries.deliver_all()
        assert poster.texts == ["one"]
        monkeypatch.undo()
        deliveries.deliver_all()
        assert poster.texts == ["one", "two"]

    def test_a_slow_process_does_not_move_the_position_back(self, store: HookStore) -> None:
        (hook, _) = store.list_outgoing()[0]
        store.note(hook.id, cursor=hook.cursor + 9, attempts=0)
        store.note(hook.id, cursor=hook.cursor + 1, attempts=2)
        (kept, _) = store.list_outgoing()[0]
        assert (kept.cursor, kept.attempts) == (hook.cursor + 9, 2)

    def test_a_removed_webhook_gets_no_deliveries(
        self, services: Services, deliveries: Deliveries, store: HookStore, poster: Poster
    ) -> None:
        [hook] = services.outbound.webhooks.list_for(MANAGER)
        services.outbound.webhooks.remove(MANAGER, hook.id)
        say(services, "one")
        deliveries.deliver_all()
        assert poster.posted == []


def test_a_trigger_word(
    services: Services, deliveries: Deliveries, store: HookStore, poster: Poster, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(services, monkeypatch, trigger="!Deploy")
    say(services, "hello", "!deploy now", "do !deploy")
    deliveries.deliver_all()
    assert poster.texts == ["!deploy now"]


def manage(services: Services, person: Author) -> None:
    """Have somebody manage the lobby."""
    services.database["users"].insert_one(
        {"_id": person.id, "username": person.name, "display_name": person.name, "password_hash": "", "role": "member"}
        | {"username_key": person.id, "display_name_key": person.id, "name_keys": [person.id], "password_version": 0}
        | {"created_at": datetime.now(UTC)}
    )
    services.rooms.membership_store.admit(person.id, LOBBY)
    services.rooms.membership_store.set_role(person.id, LOBBY, "administrator")


class TestMaker:
    """P10."""

    @pytest.mark.parametrize("fate", ["removed", "demoted", "banned"])
    def test_a_webhook_ends_with_its_makers_power(
        self, services: Services, poster: Poster, monkeypatch: pytest.MonkeyPatch, fate: str
    ) -> None:
        make(services, monkeypatch)
        secret = services.outbound.webhooks.make_incoming(MANAGER, ALICE, "CI")
        manage(services, ALICE)
        monkeypatch.setattr(services.outbound.deliveries, "_send", poster.post)
        services.outbound.incoming.post(*services.outbound.incoming.find(secret), Said(text="before"), "192.0.2.1")
        say(services, "one")
        services.outbound.deliveries.deliver_all()
        assert poster.texts == ["one"]

        if fate == "removed":
            services.rooms.membership_store.remove(ALICE.id, LOBBY)
        elif fate == "demoted":
            services.rooms.membership_store.set_role(ALICE.id, LOBBY, "moderator")
        else:
            services.people.states.set_ban(ALICE.id, datetime.now(UTC) + timedelta(hours=1), "spam")

        say(services, "two", author=BOB)
        services.outbound.deliveries.deliver_all()
        assert poster.texts == ["one"]
        assert "no longer manages" in services.outbound.webhooks.list_for(MANAGER)[0].last_error
        with pytest.raises(Refused) as refusal:
            services.outbound.incoming.post(*services.outbound.incoming.find(secret), Said(text="after"), "192.0.2.1")
        assert refusal.value.reason == "forbidden"

    def test_a_muted_creator_cannot_post_through_it(self, services: Services) -> None:
        """M05."""
        secret = services.outbound.webhooks.make_incoming(MANAGER, ALICE, "CI")
        manage(services, ALICE)
        services.people.states.set_mute(ALICE.id, datetime.now(UTC) + timedelta(hours=1), "noise")
        with pytest.raises(Refused) as refusal:
            services.outbound.incoming.post(*services.outbound.incoming.find(secret), Said(text="after"), "192.0.2.1")
        assert refusal.value.reason == "muted"


def test_a_slow_address_delays_no_others(
    services: Services, deliveries: Deliveries, store: HookStore, poster: Poster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P11: whose address takes nine seconds for each message, and says yes to it."""
    now = [100.0]
    monkeypatch.setattr(deliveries.turns, "_clock", lambda: now[0])
    make(services, monkeypatch)
    services.outbound.webhooks.make_outgoing(MANAGER, BOB, "Mine", "https://slow.test/in")
    post = poster.post

    def post_slowly(url: str, **options: Any) -> Answer:
        now[0] += 9 if "slow" in url else 0
        return post(url, **options)

    monkeypatch.setattr(poster, "post", post_slowly)
    monkeypatch.setattr("chatroom.outbound.deliveries.AT_ONCE", 1)
    say(services, *map(str, range(10)))
    deliveries.deliver_all()
    slow = [url for url, _, _ in poster.posted if "slow" in url]
    assert (len(slow), len(poster.posted)) == (1, 11)
    deliveries.deliver_all()
    assert len(poster.posted) == 11
    now[0] += 91
    deliveries.deliver_all()
    assert len(poster.posted) == 12  # the next in order: nothing is left out


def test_the_thread_delivers_and_stops(services: Services, poster: Poster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatroom.site.background.PAUSE_SECONDS", 0.01)
    make(services, monkeypatch)
    manage(services, ALICE)
    say(services, "hello")
    monkeypatch.setattr(services.outbound.deliveries, "_send", poster.post)
    services.outbound.deliveries.thread.start()
    try:
        wait_until(lambda: poster.texts)
    finally:
        services.outbound.deliveries.thread.stop()
    assert poster.texts == ["hello"]


class TestMaking:
    @pytest.fixture(autouse=True)
    def nobody_is_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Names of this test lead nowhere, whoever answers for them on this network."""

        def look_up(host: str, *arguments: Any, **options: Any) -> Any:
            if host.endswith(".test"):
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return socket.getaddrinfo(host, *arguments, **options)

        monkeypatch.setattr(public_http, "socket", SimpleNamespace(**vars(socket) | {"getaddrinfo": look_up}))

    @pytest.mark.parametrize("role", ["member", "moderator"])
    def test_only_administrators_may(self, services: Services, role: Any) -> None:
        """P06."""
        lesser = access(ALICE, LOBBY, role)
        for act in (
            lambda: services.outbound.webhooks.make_incoming(lesser, ALICE, "CI"),
            lambda: services.outbound.webhooks.make_outgoing(lesser, ALICE, "CI", "https://x.test/"),
            lambda: services.outbound.webhooks.list_for(lesser),
            lambda: services.outbound.webhooks.remove(lesser, "h"),
        ):
            with pytest.raises(Refused) as refusal:
                act()
            assert refusal.value.reason == "forbidden"

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "ftp://x.test/",
            "javascript:alert(1)",
            "https://",
            "https://ann@x.test/",
            "https://x.test:99999/",
            "https://x.test/" + "x" * 1000,
            "https://x.test/a b",
            "http://127.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:10.0.0.1]/",
            "http://169.254.169.254/latest/meta-data",
            "http://2130706433/",
            "http://localhost:27017/",
        ],
    )
    def test_addresses_that_are_refused(self, services: Services, url: str) -> None:
        """P08."""
        with pytest.raises(Refused) as refusal:
            services.outbound.webhooks.make_outgoing(MANAGER, ALICE, "Logs", url)
        assert refusal.value.reason == "invalid"

    def test_a_host_within_that_is_allowed(self, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(services.outbound.webhooks, "_is_allowed", PublicHttp(["localhost"]).is_allowed)
        assert services.outbound.webhooks.make_outgoing(MANAGER, ALICE, "Logs", "http://localhost:8080/").startswith(
            "whsec_"
        )

    @pytest.mark.parametrize("name", ["", " ", "x" * 41, "a\u202eb", "a\0b"])
    def test_names_that_are_refused(self, services: Services, name: str) -> None:
        with pytest.raises(Refused, match="name of 1 to 40"):
            services.outbound.webhooks.make_incoming(MANAGER, ALICE, name)

    def test_webhooks_are_recorded(self, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
        make(services, monkeypatch)
        services.outbound.webhooks.make_incoming(MANAGER, ALICE, "CI")
        for hook in services.outbound.webhooks.list_for(MANAGER):
            services.outbound.webhooks.remove(MANAGER, hook.id)
        entries = services.site.audit.page(room=LOBBY.id).entries
        assert [each.act for each in entries] == ["remove_webhook", "remove_webhook", "make_webhook", "make_webhook"]
        assert entries[2].details == {"webhook": "CI", "kind": "incoming"}
        assert entries[3].details == {"webhook": "Logs", "kind": "outgoing", "host": "logs.test"}

    def test_twenty_are_enough(self, services: Services) -> None:
        for number in range(20):
            services.outbound.webhooks.make_incoming(MANAGER, ALICE, str(number))
        with pytest.raises(Refused, match="at most 20"):
            services.outbound.webhooks.make_incoming(MANAGER, ALICE, "one more")

    def test_a_secret_is_kept_as_its_hash(self, services: Services) -> None:
        """P07."""
        secret = services.outbound.webhooks.make_incoming(MANAGER, ALICE, "CI")
        assert secret not in repr(list(services.database["hooks"].find()))
        hook, room = services.outbound.incoming.find(secret)
        assert isinstance(hook, Hook)
        assert room.id == "lobby"
