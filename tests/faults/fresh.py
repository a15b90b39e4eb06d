"""Readers who come when all is over and read everything: their view must be everybody's."""

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import connect

from tests.faults.history import Event, Journal, hash_of
from tests.faults.person import ROOM

SECONDS = 60.0


async def read_everything(
    url: str, headers: Mapping[str, str], folder: Path, number: int, clock: Callable[[], float]
) -> None:
    """Read the room forwards and backwards by HTTP, and by websocket; write what was seen as three clients."""
    async with asyncio.timeout(SECONDS):
        for way, read in (("after", _after), ("before", _before), ("live", _live)):
            messages = await read(url, headers)
            name = f"fresh-{way}-{number}"
            journal = Journal(folder / f"{name}.log")
            for message in sorted(messages, key=lambda message: int(message["revision"])):
                journal.write(_sight(message, name, clock()))
            newest = max((message["revision"] for message in messages), default=0)
            journal.write(Event(time=clock(), who=name, kind="cursor", revision=newest))
            journal.close()


async def _after(url: str, headers: Mapping[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async with httpx.AsyncClient(trust_env=False, headers=headers, timeout=SECONDS) as client:
        cursor, more = 0, True
        while more:
            page = (await client.get(f"{url}/api/rooms/{ROOM}/messages?after={cursor}&limit=100")).json()
            found += page["messages"]
            cursor, more = page["revision"], page["more"]
    return found


async def _before(url: str, headers: Mapping[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async with httpx.AsyncClient(trust_env=False, headers=headers, timeout=SECONDS) as client:
        page = (await client.get(f"{url}/api/rooms/{ROOM}/messages?limit=100")).json()
        while page["messages"]:
            found = page["messages"] + found
            first = found[0]["sequence"]
            page = (await client.get(f"{url}/api/rooms/{ROOM}/messages?before={first}&limit=100")).json()
    sequences = [message["sequence"] for message in found]
    assert sequences == sorted(sequences), "the history is not in order"
    return found


async def _live(url: str, headers: Mapping[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    address = url.replace("http", "ws", 1)
    async with connect(
        f"{address}/live?room={ROOM}&after=0", additional_headers=headers, max_size=None, compression=None, proxy=None
    ) as socket:
        async for raw in socket:
            frame = json.loads(raw)
            if frame["type"] == "changes":
                found += frame["messages"]
            if frame["type"] == "caught_up":
                break
    return found


def _sight(message: dict[str, Any], who: str, moment: float) -> Event:
    return Event(
        time=moment,
        who=who,
        kind="see",
        author=message["author"]["id"],
        client_id=message.get("client_id", ""),
        id=message["id"],
        sequence=message["sequence"],
        revision=message["revision"],
        hash=hash_of(message.get("text")),
    )
