import threading
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from chatroom.base.errors import Unavailable
from chatroom.base.models import File, Message, Notify, Room
from chatroom.messages.markdown.rendering import render
from chatroom.outbound.notifications import MAX_WAITING, SUBSCRIBERS_SECONDS, Notifier, describe
from tests.people import ALICE, BOB, MALLORY
from tests.waiting import PATIENCE_SECONDS

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ORIGIN = "this process"
LOBBY = Room(id="lobby", slug="lobby", title="Lobby")
DIRECT = Room(id="d", slug="dm-1", title="", kind="direct")
MESSAGE = Message(
    id="1",
    sequence=7,
    revision=7,
    author=ALICE,
    client_id="a1",
    text="**hi**  \n there",
    html="<p><strong>hi</strong><br>\nthere</p>",
    sent_at=NOW,
)


class FakePush:
    def __init__(self) -> None:
        self.asked = 0
        self.users = {ALICE.id, BOB.id, MALLORY.id}
        self.sent: list[tuple[set[str], Mapping[str, str | int]]] = []
        self.has_sent = threading.Event()
        self.failures = 0

    def subscribers(self) -> set[str]:
        self.asked += 1
        return self.users

    def send_late(self) -> int:
        return 0

    def send(self, user_ids: Collection[str], payload: Mapping[str, str | int]) -> int:
        if self.failures:
            self.failures -= 1
            raise Unavailable("away")
        self.sent.append((set(user_ids), payload))
        self.has_sent.set()
        return len(user_ids)


class Stage:
    def __init__(self, room: Room | None = LOBBY, **wishes: Notify) -> None:
        self.push: Any = FakePush()
        self.now = 0.0
        people = {"bob": BOB.id, "mallory": MALLORY.id, "alice": ALICE.id}
        known = {people[name]: wish for name, wish in wishes.items()}
        self.notifier = Notifier(
            self.push,
            room_of=lambda _: room,
            preferences_in=lambda _, users: {user: wish for user, wish in known.items() if user in users},
            origin=ORIGIN,
            seconds=lambda: self.now,
        )

    def told(self, **changes: Any) -> set[str]:
        self.notifier.notify("lobby", msgspec.structs.replace(MESSAGE, **changes))
        return self.push.sent[-1][0] if self.push.sent else set()


class TestWhoIsTold:
    def test_members_with_the_preference_all(self) -> None:
        assert Stage(bob="all", mallory="mentions").told() == {BOB.id}

    def test_mentioned_members(self) -> None:
        assert Stage(bob="mentions", mallory="mentions").told(mentions=(BOB.id,)) == {BOB.id}

    def test_everybody_for_a_mention_of_the_room(self) -> None:
        assert Stage(bob="mentions", mallory="none").told(mentions=("room",)) == {BOB.id}
        assert Stage(bob="mentions", mallory="none").told(mentions=("here", BOB.id, MALLORY.id)) == {BOB.id}
        assert Stage(bob="mentions", mallory="mentions").told(mentions=("here", BOB.id)) == {BOB.id}

    def test_the_other_in_a_direct_room(self) -> None:
        assert Stage(DIRECT, bob="mentions", mallory="none").told() == {BOB.id}

    def test_never_the_author(self) -> None:
        assert Stage(alice="all").told(mentions=(ALICE.id,)) == set()

    def test_nobody_outside_the_room(self) -> None:
        assert Stage().told(mentions=(BOB.id,)) == set()

    @pytest.mark.parametrize("changes", [{"kind": "event"}, {"deleted_at": NOW}])
    def test_nobody_for_events_and_deleted_messages(self, changes: dict[str, Any]) -> None:
        assert Stage(bob="all").told(**changes) == set()

    def test_nobody_for_a_deleted_room(self) -> None:
        assert Stage(None, bob="all").told() == set()

    def test_without_subscriptions_nobody_is_looked_up(self) -> None:
        stage = Stage(bob="all")
        stage.push.users = set()
        assert stage.told() == set()
        stage.push.users = {BOB.id}
        assert stage.told() == set()
        assert stage.push.asked == 1
        stage.now += SUBSCRIBERS_SECONDS + 1
        assert stage.told() == {BOB.id}


class TestEdits:
    """An edit notifies those whom it mentions for the first time, if the post has not notified them."""

    def edit(self, *new: str, **changes: Any) -> dict[str, Any]:
        return {"revision": 9, "text_revision": 9, "mentions": new, "new_mentions": new, "origin": ORIGIN, **changes}

    def test_newly_mentioned_members(self) -> None:
        assert Stage(bob="mentions", mallory="mentions").told(**self.edit(BOB.id)) == {BOB.id}

    def test_a_new_mention_of_everybody_spares_those_who_were_mentioned_before(self) -> None:
        stage = Stage(bob="mentions", mallory="mentions")
        assert stage.told(**self.edit("room", past_mentions=(BOB.id,))) == {MALLORY.id}

    def test_nobody_else(self) -> None:
        assert Stage(bob="all", mallory="none").told(**self.edit(BOB.id, MALLORY.id)) == set()
        assert Stage(DIRECT, bob="mentions").told(**self.edit(BOB.id)) == set(), "the post was for them already"
        assert Stage(mallory="mentions").told(**self.edit(BOB.id)) == set(), "not a member"

    def test_an_edit_is_queued_once_by_the_process_that_made_it(self) -> None:
        stage = Stage(bob="mentions")
        edited = msgspec.structs.replace(MESSAGE, **self.edit(BOB.id))
        stage.notifier.take("lobby", [edited, edited])
        assert len(stage.notifier._waiting) == 1
        for changes in ({"origin": "another"}, {"revision": 10}, {"new_mentions": ()}):
            stage.notifier.take("lobby", [msgspec.structs.replace(edited, id="2", **changes)])
        assert len(stage.notifier._waiting) == 1


class TestWhatIsSaid:
    def test_author_room_and_text(self) -> None:
        assert describe(LOBBY, MESSAGE) == {
            "title": "Alice in Lobby",
            "body": "hi there",
            "url": "/chatroom/lobby/7",
            "tag": "lobby-7",
            "revision": 7,
        }

    def test_a_direct_message_names_its_author(self) -> None:
        assert describe(DIRECT, MESSAGE)["title"] == "Alice"

    def test_a_long_text_is_cut(self) -> None:
        body = describe(LOBBY, msgspec.structs.replace(MESSAGE, html=render("x" * 500)))["body"]
        assert body == "x" * 139 + "…"

    @pytest.mark.parametrize(
        ("text", "body"),
        [
            ("**so** _it_ is ~~not~~", "so it is not"),
            ("see [the plan](https://example.org/a?b=1)", "see the plan"),
            ("```python\nx = 1\n  y = 2\n```", "x = 1 y = 2"),
            ("| a | b |\n|---|---|\n| 1 | 2 |", "a b 1 2"),
            ("# News\n- [x] done\n> said", "News ☑ done said"),
            (":tada: 1 < 2 & $x^2$", "🎉 1 < 2 & $x^2$"),
            ("`a*b` and \\*c\\*", "a*b and *c*"),
        ],
    )
    def test_the_text_has_no_markup(self, text: str, body: str) -> None:
        assert describe(LOBBY, msgspec.structs.replace(MESSAGE, text=text, html=render(text)))["body"] == body

    def test_no_emoji_is_cut_in_two(self) -> None:
        html = f"<p>{'x' * 136}👩\u200d👩\u200d👧 yes</p>"
        assert describe(LOBBY, msgspec.structs.replace(MESSAGE, html=html))["body"] == "x" * 136 + "…"

    def test_files_are_named(self) -> None:
        files = (File(id="f", name="a.png", type="image/png", size=1), File(id="g", name="b.pdf", type="x", size=1))
        assert describe(LOBBY, msgspec.structs.replace(MESSAGE, html="", files=files))["body"] == "a.png, b.pdf"


class TestTheThread:
    def test_it_continues_after_a_failure_and_reports_only_posts(self) -> None:
        stage = Stage(bob="all")
        stage.push.failures = 1
        edited = msgspec.structs.replace(MESSAGE, revision=8)
        stage.notifier.thread.start()
        stage.notifier.take("lobby", [MESSAGE, edited, MESSAGE])

        assert stage.push.has_sent.wait(PATIENCE_SECONDS)
        stage.notifier.thread.stop()
        assert len(stage.push.sent) == 1

    def test_the_queue_is_bounded(self) -> None:
        stage = Stage(bob="all")
        for _ in range(3):
            stage.notifier.take("lobby", [MESSAGE] * MAX_WAITING)
        assert len(stage.notifier._waiting) == MAX_WAITING

    def test_without_subscriptions_nothing_is_queued(self) -> None:
        stage = Stage(bob="all")
        stage.push.users = set()
        stage.told()
        stage.notifier.take("lobby", [MESSAGE])
        assert not stage.notifier._waiting
        stage.now += SUBSCRIBERS_SECONDS + 1
        stage.notifier.take("lobby", [MESSAGE])
        assert len(stage.notifier._waiting) == 1
