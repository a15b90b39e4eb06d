"""What programs may do over websockets: what their tokens' scopes say, and no more."""

import asyncio
from typing import Any

from chatroom.base.models import Scope
from tests.conftest import MakeApp
from tests.security.live import Socket, served
from tests.security.people import DEN, Cast, content_of


def outcomes(cast: Cast, user: Any, frames: list[str], scopes: list[Scope], rooms: list[str]) -> list[str]:
    """What becomes of frames about the den that are sent with a token."""
    token = cast.services.people.sessions.create_token(user, label="bot", scopes=scopes, rooms=rooms)

    async def talk() -> list[str]:
        found = []
        async with served(cast.app) as asgi:
            socket = Socket(asgi, token=token)
            assert await socket.open() == 101
            for kind in frames:
                socket.send(content_of(kind, cast))
                answer = await socket.receive("stored", "refused", "caught_up")
                found.append(str(answer.get("reason", answer["type"])))
            await socket.leave()
        return found

    return asyncio.run(talk())


FRAMES = ["follow", "post", "delete"]


def test_scopes_of_frames(make_app: MakeApp) -> None:
    """P01."""
    expected: dict[Scope, list[str]] = {
        "read": ["caught_up", "out_of_scope", "out_of_scope"],
        "post": ["out_of_scope", "stored", "stored"],
        "moderate": ["out_of_scope"] * 3,
    }
    for scope, answers in expected.items():
        cast = Cast(make_app())
        assert outcomes(cast, cast.author, FRAMES, [scope], []) == answers


def test_a_token_for_another_room(make_app: MakeApp) -> None:
    """P01."""
    cast = Cast(make_app())
    assert outcomes(cast, cast.author, FRAMES, ["read", "post"], ["lobby"]) == ["out_of_scope"] * 3
    cast = Cast(make_app())
    assert outcomes(cast, cast.author, FRAMES, ["read", "post"], [DEN.slug]) == ["caught_up", "stored", "stored"]


def test_a_moderators_token_needs_the_scope_moderate(make_app: MakeApp) -> None:
    """P02."""
    expected: list[tuple[list[Scope], str]] = [(["read", "post"], "forbidden"), (["post", "moderate"], "stored")]
    for scopes, answer in expected:
        cast = Cast(make_app())
        cast.services.database["memberships"].update_one({"user": cast.member.id}, {"$set": {"role": "moderator"}})
        assert outcomes(cast, cast.member, ["delete"], scopes, []) == [answer]


def test_the_room_of_the_handshake(make_app: MakeApp) -> None:
    """P01."""
    for scopes, rooms, status in ((["post"], [], 403), (["read"], ["lobby"], 403), (["read"], ["den"], 101)):
        cast = Cast(make_app())
        token = cast.services.people.sessions.create_token(cast.member, label="bot", scopes=scopes, rooms=rooms)  # type: ignore[arg-type]

        async def knock(cast: Cast = cast, token: str = token) -> int:
            async with served(cast.app) as asgi:
                socket = Socket(asgi, token=token, query={"room": "den"})
                answered = await socket.open()
                if answered == 101:
                    await socket.leave()
                return answered

        assert asyncio.run(knock()) == status


def test_it_does_not_join_the_room_of_the_handshake(make_app: MakeApp) -> None:
    """P02: that room is looked up before there is a connection."""
    expected: list[tuple[list[Scope], str]] = [
        (["read", "post"], "forbidden"),
        (["read", "post", "moderate"], "stored"),
    ]
    for scopes, answer in expected:
        cast = Cast(make_app())
        cast.services.database["memberships"].update_one({"user": cast.member.id}, {"$set": {"role": "moderator"}})
        token = cast.services.people.sessions.create_token(cast.member, label="bot", scopes=scopes)

        async def delete(cast: Cast = cast, token: str = token) -> str:
            async with served(cast.app) as asgi:
                socket = Socket(asgi, token=token, query={"room": DEN.slug})
                assert await socket.open() == 101
                socket.send(content_of("delete", cast))
                told = await socket.receive("stored", "refused")
                await socket.leave()
                return str(told.get("reason", told["type"]))

        assert asyncio.run(delete()) == answer
