"""What a token may do: less than its account, never more."""

from datetime import UTC, datetime

import pytest

from chatroom.base.errors import Refused
from chatroom.base.models import Room, Session
from chatroom.people.tokens import EVERYTHING, Grant, grant_of
from tests.people import ALICE, access

ROOM = Room(id="den-id", slug="den", title="Den")
AT = datetime(2026, 11, 21, tzinfo=UTC)


def session(kind: str, **more: tuple[str, ...]) -> Session:
    return Session(
        id="s",
        user_id="u",
        kind=kind,  # type: ignore[arg-type]
        label="",
        address="",
        created_at=AT,
        seen_at=AT,
        expires_at=AT,
        **more,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(("scope", "slug"), [("read", "den"), ("post", None), ("moderate", "lobby")])
def test_a_browser_may_all(scope: str, slug: str | None) -> None:
    grant_of(session("browser")).check(scope, slug)  # type: ignore[arg-type]


def test_a_scope_that_is_missing_is_named() -> None:
    grant = grant_of(session("token", scopes=("read",)))
    grant.check("read", "den")
    with pytest.raises(Refused, match="needs the scope post") as refusal:
        grant.check("post", "den")
    assert refusal.value.reason == "out_of_scope"


@pytest.mark.parametrize("slug", ["lobby", None])
def test_a_token_for_one_room_is_invalid_elsewhere(slug: str | None) -> None:
    grant = grant_of(session("token", scopes=("read",), rooms=("den",)))
    grant.check("read", "den")
    with pytest.raises(Refused, match="This access token is limited to the room den"):
        grant.check("read", slug)


def test_without_moderate_a_moderator_s_token_is_a_member_s() -> None:
    moderator = access(ALICE, ROOM, "administrator")
    assert moderator.may_manage
    narrowed = Grant(frozenset({"read", "post"})).narrow(moderator)
    assert not narrowed.may_moderate
    assert narrowed.user_id == ALICE.id
    assert EVERYTHING.narrow(moderator).may_manage


def test_a_token_with_no_scope_may_nothing() -> None:
    for scope in ("read", "post", "moderate"):
        with pytest.raises(Refused):
            grant_of(session("token")).check(scope, "den")  # type: ignore[arg-type]
