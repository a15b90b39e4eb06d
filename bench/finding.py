"""Fill a room with searchable messages, let the product index them, and list the queries to measure."""

import os
import random
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

from bson import ObjectId
from pymongo import MongoClient

from bench import room
from bench.machine import ROOT
from bench.subjects import Running

QUERIES = {
    "a rare word (10 hits)": "needle",
    "a word in every message": '"every"',
    "a frequent word (one in 10)": '"often"',
    "the start of many words (ge)": "ge",
    "a longer start (need)": "need",
    "a phrase": '"the needle here"',
    "a phrase of two frequent words": '"every often"',
    "a rare word and a word in every message": "every needle",
    "two frequent words": "every often",
    "two frequent words, never in the same message": "often seldom",
    "the starts of many words (bi ge)": "bi ge",
    "a phrase without hits, of two frequent words": '"often every"',
    "from:": "from:bob",
    "from: and a rare word": "from:bob needle",
    "has:file (1,000 hits)": "has:file",
    "a frequent word, before: a day in the middle": '"often" before:2026-01-01',
    "nothing": "nowhere",
}
WORDS = 60_000
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
BATCH = 5000


def fill(running: Running, count: int) -> None:
    """Write `count` messages of two years to the lobby, and block the server's own indexer."""
    chance = random.Random(1)  # the same messages in each run
    vocabulary = [_word(chance) for _ in range(WORDS)]
    weights = list(accumulate(1 / (rank + 3) for rank in range(WORDS)))
    with MongoClient[dict[str, Any]](running.mongo_uri, tz_aware=True) as client:
        rows = client.get_default_database()
        rows.leases.insert_one(
            {"_id": "indexer", "holder": "bench", "expires_at": datetime.now(UTC) + timedelta(days=1)}
        )
        people = [(str(user["_id"]), user["display_name"]) for user in rows.users.find().sort("username")]
        lobby = rows.rooms.find_one({"slug": "lobby"})
        assert lobby
        rows.memberships.insert_many([{"user": id, "room": lobby["_id"], "joined_at": FIRST} for id, _ in people])
        between = timedelta(days=730) / count
        for start in range(1, count + 1, BATCH):
            batch = []
            for number in range(start, min(start + BATCH, count + 1)):
                words = chance.choices(vocabulary, cum_weights=weights, k=chance.randint(3, 17))
                batch.append(_message(lobby["_id"], number, FIRST + number * between, chance.choice(people), words))
            rows.messages.insert_many(batch, ordered=False)


def _word(chance: random.Random) -> str:
    return "".join(chance.choice("bcdfghklmnprstvw") + chance.choice("aeiou") for _ in range(chance.randint(1, 4)))


def _message(room_id: str, number: int, at: datetime, author: tuple[str, str], words: list[str]) -> dict[str, Any]:
    if number % 100_000 == 77:
        words = ["the", "needle", "here", *words]
    text = " ".join(["every", "often" if number % 10 == 0 else "seldom" if number % 10 == 5 else "now", *words])
    made = {
        "_id": ObjectId(int(at.timestamp()).to_bytes(4, "big") + number.to_bytes(8, "big")),
        "room": room_id,
        "sequence": number,
        "revision": number,
        "revisions": [number],
        "author": {"id": author[0], "name": author[1]},
        "client_id": f"talk-{number}",
        "text": text,
        "html": f"<p>{text}</p>",
        "sent_at": at,
        "origin": "",
    }
    if number % 1000 == 500:
        made["files"] = [{"id": "0" * 24, "name": "plan.pdf", "type": "application/pdf", "size": 1}]
    return made


def index(running: Running) -> float:
    """Index all messages with the product's command; return the seconds that it took."""
    uri = running.mongo_uri
    env = {**os.environ, **room.environment(uri, uri.rsplit("/", 1)[1].split("?")[0], str(ROOT / "data"))}
    command = [room.python(), "-m", "flask", "--app", "test_mongo", "reindex"]
    begun = time.monotonic()
    subprocess.run(command, env=env, cwd=ROOT, capture_output=True, check=True)
    return time.monotonic() - begun


def sizes(running: Running) -> Iterator[tuple[str, float]]:
    """Yield the bytes on disk of a message and of its part of the search index, with their indexes."""
    with MongoClient[dict[str, Any]](running.mongo_uri) as client:
        rows = client.get_default_database()
        client.admin.command("fsync")
        count = rows.messages.estimated_document_count()
        for what, names in (
            ("a message", ["messages"]),
            ("its part of the search index", ["search_entries", "search_words"]),
        ):
            stats = [rows.command("collStats", name) for name in names]
            yield what, sum(each["storageSize"] + each["totalIndexSize"] for each in stats) / count
