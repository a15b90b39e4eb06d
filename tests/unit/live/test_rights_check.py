"""What connections remember is looked at again, when every notice is lost."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chatroom.base.models import Session
from chatroom.live.checks import ROUND_TICKS
from chatroom.people.sessions_store import SessionStore
from chatroom.rooms.current_rights_store import CurrentRightsStore
from tests.databases import in_memory
from tests.loops import in_loop, settle
from tests.people import ALICE, BOB
from tests.unit.live.harness import DEN, Client, Process, Ticks

SOON = datetime(2100, 1, 1, tzinfo=UTC)


async def started() -> Process:
    database = in_memory()
    sessions = SessionStore(database)
    process = Process(database, read_rights=CurrentRightsStore(database).read)
    process.rooms.store.ensure(DEN)
    for person in (ALICE, BOB):
        database["users"].insert_one(
            {"_id": person.id, "display_name": person.name, "role": "member"} | of(person.name)
        )
        process.rooms.membership_store.admit(person.id, DEN)
        sessions.add(session(person.id, f"session of {person.name.lower()}"))
        process.prolonged[f"session of {person.name.lower()}"] = process.now + timedelta(hours=2)
    await process.engine.start()
    return process


def of(name: str) -> dict[str, Any]:
    keys = {"username": name, "username_key": name, "display_name_key": name, "name_keys": [name]}
    return {**keys, "password_version": 1}


def session(user_id: str, session_id: str) -> Session:
    now = datetime.now(UTC)
    return Session(
        id=session_id,
        user_id=user_id,
        kind="browser",
        label="",
        address="",
        created_at=now,
        seen_at=now,
        expires_at=now + timedelta(days=1),
        password_version=1,
    )


async def say(person: Client, client_id: str) -> None:
    await person.say({"type": "post", "room": "den", "text": "hi", "client_id": client_id})


def answers(person: Client) -> list[str]:
    shown = [frame for frame in person.frames() if frame["type"] in {"stored", "refused"}]
    return [" ".join(filter(None, (frame["type"], frame.get("reason")))) for frame in shown]


async def two_minutes(tick: Ticks) -> None:
    await tick(2 * ROUND_TICKS)
    await settle()


CHANGES: dict[str, tuple[Callable[[Process], Any], str]] = {
    "removed": (lambda process: process.rooms.membership_store.remove(ALICE.id, DEN), "refused not_found"),
    "muted": (lambda process: process.rooms.membership_store.set_mute(ALICE.id, DEN.id, SOON, "x"), "refused muted"),
    "muted everywhere": (
        lambda process: process.database["users"].update_one({"_id": ALICE.id}, {"$set": {"muted_until": SOON}}),
        "refused muted",
    ),
    "read-only": (lambda process: process.rooms.store.change(DEN.id, {"is_read_only": True}), "refused read_only"),
    "archived": (lambda process: process.rooms.store.change(DEN.id, {"archived_at": SOON}), "refused archived"),
}


@pytest.mark.parametrize("name", CHANGES)
@in_loop
async def test_a_lost_right_ends_after_two_minutes(name: str, tick: Ticks) -> None:
    """M16."""
    change, expected = CHANGES[name]
    process = await started()
    alice = await process.connect(query={"room": "den"})
    await say(alice, "a1")
    change(process)
    await two_minutes(tick)
    await say(alice, "a2")
    assert answers(alice) == ["stored", expected]
    assert bool(alice.frames("closed")) == (name == "removed")
    await process.engine.stop()


@pytest.mark.parametrize(
    ("change", "reason", "code"),
    [
        ({"banned_until": SOON}, "You are banned.", 4403),
        ({"password_version": 2}, None, 4401),
        ({"deleted_at": datetime(2026, 1, 1, tzinfo=UTC)}, "This account was deleted.", 4403),
    ],
    ids=["banned", "another password", "deleted"],
)
@in_loop
async def test_a_user_without_access_is_disconnected(
    change: dict[str, Any], reason: str | None, code: int, tick: Ticks
) -> None:
    """M16."""
    process = await started()
    alice, bob = await process.connect(query={"room": "den"}), await process.connect("bob", query={"room": "den"})
    process.database["users"].update_one({"_id": ALICE.id}, {"$set": change})
    process.exclusions |= {ALICE.id: reason} if reason else {}
    await two_minutes(tick)
    assert (alice.close_code, bob.close_code) == (code, None)
    await process.engine.stop()


@in_loop
async def test_without_changes_nobody_is_looked_up(tick: Ticks, monkeypatch: pytest.MonkeyPatch) -> None:
    process = await started()
    alice = await process.connect(query={"room": "den"})
    await say(alice, "a1")
    with monkeypatch.context() as patch:
        patch.setattr(process.rooms.access, "find_for", lambda *_: pytest.fail("nothing was told, and nothing changed"))
        await two_minutes(tick)
        await say(alice, "a2")
    assert answers(alice) == ["stored", "stored"]
    await process.engine.stop()
