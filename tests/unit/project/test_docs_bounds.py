"""The bounds in the docs are those of the code: each sentence stands on its page, with the value of the code."""

import re
from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from pymongo.common import MIN_HEARTBEAT_INTERVAL

from chatroom.asgi import downloads, http_protocol, incoming_request, stalled_reader, uploads
from chatroom.base import log_limits
from chatroom.base.config import Settings
from chatroom.erasure import clearing, retention
from chatroom.export import export
from chatroom.files import large_jpegs, message_files, pictures, renderer, thumbnails
from chatroom.live import answers, connection, read_positions, tail
from chatroom.live.connections import REASON_BYTES
from chatroom.live.presence import presences_store, typing
from chatroom.live.sockets import incoming, pace, socketio_packets, websocket
from chatroom.messages import log_store, mentions, reactions, room_links
from chatroom.messages.markdown import rendering
from chatroom.moderation import (
    figures_store,
    held_store,
    holding,
    moderation,
    naming,
    newcomers,
    reports,
    reports_store,
)
from chatroom.mongo.embedded import guardian
from chatroom.names import files as file_names
from chatroom.names import rooms as room_names
from chatroom.outbound import deliveries, fair_turns, push, webhooks
from chatroom.outbound.formats import alerts, shapes
from chatroom.people import avatars, resets
from chatroom.rooms import direct, links, listings_store, members_store
from chatroom.rooms.fields import SETTINGS
from chatroom.search import indexer, places, proposals, queries, search, spans_store, terms
from chatroom.serve import server
from chatroom.site import audit, limits, settings_store, upgrades
from chatroom.web.export import download
from chatroom.web.files import shown
from chatroom.web.kit import health
from chatroom.web.messages.messages_api import MOST_MESSAGES
from tests.documents import present_pages, read, section, tables

WORDS = dict(enumerate("zero one two three four five six seven eight nine ten".split()))  # noqa: SIM905
WORDS |= {12: "twelve", 30: "thirty", 90: "ninety", 100: "a hundred", 1000: "a thousand"}
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
MILLION = 1_000_000
D = Settings()


def word(number: int) -> object:
    """The number as the docs write it in a sentence."""
    return WORDS.get(number, number)


LIMITS: dict[str, list[Any]] = {
    "a frame from the client": [D.max_frame_bytes],
    "a message": [D.max_message_length],
    "posts, edits, deletions, reactions and pins": [D.post_limit_account, D.post_limit_address],
    "a file": [D.max_file_bytes, pictures.MAX_PIXELS // MILLION, large_jpegs.MAX_PIXELS // MILLION],
    "files of a message": [D.max_files_per_message],
    "uploads": [D.upload_limit_account, D.upload_limit_address],
    "all files": [D.max_total_file_bytes],
    "a person's uploads that are not part of a message": [],
    "reactions to a message": [reactions.MOST_EMOJI, reactions.MOST_PEOPLE],
    "pinned messages of a room": [log_store.MOST_PINS],
    "held messages": [holding.MOST_HELD, holding.MOST_ON_SITE],
    "mentions in a message": [mentions.MOST],
    "people whom `@here` mentions": [mentions.MOST_HERE],
    "links to rooms in a message": [room_links.MOST_LINKS],
    "posts of a member in slow mode": [],
    "rooms that one user joins": [limits.COMING],
    "direct conversations that one user starts": [limits.OPENING],
    "previews that one user asks for": [limits.PREVIEWS],
    "rooms that one user creates": [D.max_rooms_per_user],
    "posts that wait for the database": [D.max_waiting_drafts],
    "posts of one connection that have no response yet": [answers.MAX_IN_FLIGHT],
    "refused frames in a row": [connection.MAX_STRIKES],
    "frames that store nothing, frames that are refused": [int(pace.PER_SECOND), pace.BURST],
    "rooms followed on one connection": [D.max_rooms_per_connection],
    "HTTP connections": [D.max_http_connections_per_address],
    "memory for incoming requests": [D.max_held_bytes_per_user, D.max_held_bytes_per_address, D.max_held_bytes],
    "how long a client may read nothing of a response": [int(stalled_reader.STALL_SECONDS)],
    "the head of a request": [incoming_request.HEAD_BYTES // 1024, incoming_request.BYTES_AROUND_A_BYTE],
    "pipelined requests on one connection": [http_protocol.PIPELINED],
    "pings, pongs and fragments": [incoming.OTHERS_AT_ONCE],
    "connections": [D.max_connections, D.max_connections_per_user, D.max_connections_per_address],
    "frames that wait on one connection": [answers.MAX_WAITING],
    "the time until the client answers a ping": [server._PING_SECONDS],
}
"""By the beginning of a row: the numbers in its bound."""

LIMITS_OF_SEARCH: dict[str, list[Any]] = {
    "characters in a query": [queries.LONGEST_QUERY],
    "words, names and rooms in a query": [queries.MOST_TERMS],
    "searches of one person": [D.search_limit_account],
    "results on a page": [search.PAGE],
    "words of a message in the index": [terms.MOST_WORDS],
    "letters of a word in the index": [terms.LONGEST_WORD],
    "marks in a row in a query": [places.MOST_MARKS],
}

BOUNDS: list[tuple[str, str, list[Any]]] = [
    ("protocol", "such as `3,17,20`; at most {}.", [MOST_MESSAGES]),
    ("protocol", "the [query](search.md#search-syntax), at most {} characters", [queries.LONGEST_QUERY]),
    ("protocol", "| `hits` | at most {}, the newest first", [search.PAGE]),
    ("protocol", "shows you as present for {} seconds", [presences_store.VISIT // SECOND]),
    ("protocol", "returns `rooms`: at most {} of your rooms", [listings_store.MOST_ROOMS]),
    ("protocol", "{0} means {0} or more", [listings_store.MOST_UNREAD]),
    (
        "protocol",
        "| `title` | 1 to {} characters | | `topic` | at most {} characters |",
        [room_names.MAX_TITLE, room_names.MAX_TOPIC],
    ),
    ("protocol", "| `slow_seconds` | at most {:,} |", [SETTINGS["slow_seconds"].most]),
    ("protocol", "| `retention_days` | at most {:,} |", [SETTINGS["retention_days"].most]),
    ("protocol", "| `reason` | at most {} characters", [audit.LONGEST_REASON]),
    ("protocol", "returns a WebP of at most {} by {} pixels. If", [*thumbnails.THUMBNAIL]),
    ("protocol", "returns a WebP of at most {} by {} pixels. ###", [*thumbnails.VIEW]),
    ("protocol", "returns `members`: at most {} [people]", [word(members_store.MOST_PROPOSED)]),
    ("protocol", "consists only of one to {} emoji", [word(rendering.MOST_LARGE)]),
    ("protocol", "A user can have {} subscriptions", [word(push.MOST_BROWSERS)]),
    ("protocol", "compresses frames of {} bytes or more", [websocket.MIN_BYTES]),
    ("protocol", "at most {} messages. It has at most {:,} bytes", [tail.FRAME_MESSAGES, tail.FRAME_BYTES]),
    ("protocol", "For {} seconds, or until your message", [word(typing.LASTS // SECOND)]),
    ("protocol", "who are typing, at most {}.", [word(typing.MOST_SHOWN)]),
    ("protocol", "at most every {} seconds", [word(int(read_positions.PAUSE_SECONDS))]),
    ("protocol", "rejected is refused for {} days", [held_store.KEPT_SECONDS // 86400]),
    ("protocol", "close reason (at most {} bytes)", [REASON_BYTES]),
    ("protocol", "has {} different emoji, or this emoji has {} people", [reactions.MOST_EMOJI, reactions.MOST_PEOPLE]),
    ("protocol", "the room has {} pins", [log_store.MOST_PINS]),
    ("programs", "A room has at most {} webhooks", [webhooks.MOST_HOOKS]),
    ("programs", "Any 2xx response within {:g} seconds", [deliveries.TIMEOUT_SECONDS]),
    ("programs", "sends the message again after {} seconds", [deliveries.FIRST_WAIT // SECOND]),
    ("programs", "After {} days of failures, or after a {}", [word(deliveries.GIVE_UP_AFTER // DAY), deliveries.GONE]),
    ("programs", "The pause is {} times as long", [word(fair_turns.FACTOR)]),
    ("programs", "has at most {} entries, and `alerts` at most {:,}", [shapes.MOST_ITEMS, alerts.MOST_ALERTS]),
    ("programs", "buffers at most {} kB", [socketio_packets.MOST_WAITING_BYTES // 1024]),
    ("files", "After the first {:g} seconds, the average rate", [uploads.PATIENCE_SECONDS]),
    ("files", "must be at least {} kB a second", [uploads.LEAST_RATE // 1024]),
    ("files", "A person can send {} such large uploads", [word(uploads.UPLOADS_PER_USER)]),
    ("files", "at most {} large uploads at once, with {} GB", [word(uploads.UPLOADS), uploads.SPOOLED_BYTES // 10**9]),
    ("files", "A name has at most {} bytes", [file_names.LONGEST_BYTES]),
    ("files", "at most {} million pixels and {:,} frames", [pictures.MAX_PIXELS // MILLION, pictures.MAX_FRAMES]),
    ("files", "A JPEG may have {} million pixels", [large_jpegs.MAX_PIXELS // MILLION]),
    ("files", "a WebP of at most {}×{} pixels", [*thumbnails.VIEW]),
    ("files", "if the file has at most {} MB", [shown.LARGEST_MOVING // MILLION]),
    ("files", "A picture with more than {} million pixels", [renderer.MAX_PIXELS // MILLION]),
    ("files", "has at most {} kB, or the size", [thumbnails.VIEW_BYTES // 1000]),
    ("files", "and never more than {} MB", [thumbnails.MOST_VIEW_BYTES // MILLION]),
    ("files", "A person can have {} downloads at once", [word(downloads.DOWNLOADS_PER_USER)]),
    ("files", "a process can have {}.", [downloads.DOWNLOADS]),
    ("files", "was not posted | after {} day", [{DAY: "a"}[message_files.UNUSED_FOR]]),
    ("files", "stores it at {} and {} pixels", sorted(pictures.SQUARES)),
    ("files", "the {} most recent pictures", [avatars.LISTED]),
    ("rooms", "two to {} people", [word(direct.MOST_PEOPLE)]),
    ("rooms", "Every user can create up to {} rooms (`MAX_ROOMS_PER_USER`)", [D.max_rooms_per_user]),
    ("rooms", "A name has up to {} characters.", [room_names.MAX_TITLE]),
    ("rooms", "A topic has up to {} characters.", [room_names.MAX_TOPIC]),
    ("rooms", "admits 1 to {} people, for up to {} days", [links.MAX_USES, links.MAX_HOURS // 24]),
    ("rooms", "has at most {} pinned messages", [log_store.MOST_PINS]),
    ("rooms", "deletes up to {} of these old messages", [retention.BATCH]),
    ("search", "holds a lease of {:g} seconds", [indexer.LEASE_SECONDS]),
    ("search", "A batch has up to {} messages", [indexer.BATCH]),
    ("search", "these messages, up to {}, directly", [search.MOST_UNINDEXED]),
    ("search", "first indexes up to {:,} messages itself", [search.MOST_CAUGHT_UP * indexer.BATCH]),
    ("search", "is above {}.", [spans_store.MOST_SCANS]),
    ("search", "of each word, up to {:,}, beginning", [proposals.MOST_COUNTED]),
    ("search", "a word with fewer than {} entries", [proposals.RARE]),
    ("search", "If there are {} such words or more", [proposals.MOST_ENDINGS]),
    ("search", "After {:g} ms, a search returns", [1000 * search.SECONDS]),
    ("moderation", "the name of the site (up to {} characters", [naming.LONGEST_NAME]),
    ("moderation", "what it is for (up to {} characters)", [naming.LONGEST_ABOUT]),
    ("moderation", "needs a reason of at most {} characters", [audit.LONGEST_REASON]),
    ("moderation", "the {0} messages before it and the {0} messages after it", [word(reports.NEIGHBOURS)]),
    ("moderation", "each report is kept for {} days", [reports_store.KEPT_SECONDS // 86400]),
    ("moderation", "how many reports one person can send ({})", [D.report_limit_account]),
    ("moderation", "from 1 to {} ({} is a good start)", [newcomers.MOST, newcomers.SUGGESTED]),
    ("moderation", "created more than {} week before", [{7 * DAY: "a"}[newcomers.LOOK_BACK]]),
    ("moderation", "At most {} messages of one person are held", [word(holding.MOST_HELD)]),
    ("moderation", "at most {} messages on the site", [word(holding.MOST_ON_SITE)]),
    ("moderation", "a rejected message for {} days", [word(held_store.KEPT_SECONDS // 86400)]),
    ("moderation", "counts at most {0:,} members and {0:,} messages", [figures_store.MOST_COUNTED]),
    ("moderation", "works once, within {} hours", [resets.LIFETIME // HOUR]),
    ("moderation", "erases the texts, {} messages at a time", [clearing.BATCH]),
    ("moderation", "differ by less than {} seconds", [moderation.SAME // SECOND]),
    ("moderation", "use the new mode within about {} seconds", [word(int(settings_store.KEPT_SECONDS))]),
    ("monitoring", "waits at most {} s for the database", [health.READY_SECONDS + MIN_HEARTBEAT_INTERVAL]),
    ("monitoring", "finishes running requests within {} s", [server.GRACEFUL_SECONDS]),
    ("monitoring", "at most {:,} lines of one kind a minute", [log_limits.MOST_OF_KIND]),
    ("monitoring", "at most {} of these lines about one person", [log_limits.MOST_ABOUT_ONE]),
    ("monitoring", "have at most {} MB together", [2 * guardian._LOG_BYTES // MILLION]),
    ("operating", "continues, at most {:g} seconds later", [upgrades.LEASE_SECONDS]),
    ("operating", "The server sends a ping every {} s", [server._PING_SECONDS]),
    ("exports", "make {} downloads an hour (`EXPORT_LIMIT_ACCOUNT`)", [D.export_limit_account.split()[0]]),
    ("exports", "A process serves {} downloads at a time", [export.MOST_AT_ONCE]),
    ("exports", "less than {} kB a second", [download.LEAST_RATE // 1024]),
    ("exports", "Only {} messages are in memory", [export.PAGE]),
    ("bad-nights", "`SESSION_LIFETIME_MINUTES` ({} days)", [word(D.session_lifetime_minutes // 24 // 60)]),
]


@cache
def flat(page: str) -> str:
    return " ".join(read(page).split())


@pytest.mark.parametrize("page", sorted({page for page, *_ in BOUNDS}))
def test_each_sentence_has_the_bound_of_the_code(page: str) -> None:
    sentences = [sentence.format(*values) for name, sentence, values in BOUNDS if name == page]
    assert [sentence for sentence in sentences if sentence not in flat(f"docs/{page}.md")] == []


@pytest.mark.parametrize(
    ("page", "title", "limits"),
    [("docs/protocol.md", "Limits", LIMITS), ("docs/search.md", "Search syntax", LIMITS_OF_SEARCH)],
    ids=["protocol", "search"],
)
def test_the_table_has_each_limit_of_the_code(page: str, title: str, limits: dict[str, list[Any]]) -> None:
    rows = tables(section(page, title))[-1]
    assert len(rows) == len(limits)
    for (what, bound, *_), (beginning, values) in zip(rows, limits.items(), strict=True):
        assert what.startswith(beginning)
        expected = numbers(values)
        assert numbers([bound])[: len(expected)] == expected, what


@pytest.mark.parametrize("page", present_pages())
def test_a_setting_with_a_number_in_parentheses_has_its_default(page: str) -> None:
    for name, text in re.findall(r"`([A-Z]+_[A-Z_]+)` \((\d[^)]*)\)", flat(page)):
        default = getattr(D, name.lower())
        assert text.replace(",", "").startswith(f"{default:g}" if isinstance(default, float) else str(default)), name


def numbers(values: Iterable[object]) -> list[int]:
    """The numbers in these values, in their order."""
    return [int(number) for value in values for number in re.findall(r"\d+", str(value).replace(",", ""))]
