"""Search, as a page that needs no JavaScript, and as an operation of the API."""

from datetime import UTC, datetime

import msgspec
from flask import Response, redirect, request, url_for

from chatroom.base.time_zones import find_zone
from chatroom.live.protocol import WireMessage, wire
from chatroom.search.fields import WHEN, Fields
from chatroom.search.queries import LONGEST_QUERY
from chatroom.search.search import Hit, Results, SnippetPiece
from chatroom.web.kit.api import answer, api_blueprint, asker, query_as
from chatroom.web.kit.login import LoggedIn, current_user, page_blueprint
from chatroom.web.kit.openapi import operation
from chatroom.web.kit.pages import Page, Shown, refusals_on, render
from chatroom.web.kit.services import services
from chatroom.web.kit.times import found_zone, times_in

BAD_REQUEST = 400
LONGEST_FIELD = 80
MOST_ROOMS = 100
"""The maximum number of rooms that the field for the room proposes."""

blueprint = page_blueprint("search")
api = api_blueprint("search_api")


class Asked(msgspec.Struct):
    """The query, and where the next page starts."""

    q: str
    before: str | None = None


class Found(msgspec.Struct):
    """A message that was found: its address, and the part of its text around the match."""

    room: str
    title: str
    url: str
    snippet: list[SnippetPiece]
    message: WireMessage


class SearchAnswer(msgspec.Struct):
    """A page of results. Send `before` for the next page; null means that there is none.

    `cut` means that the search stopped, for lack of time, before the page was full. `behind` means that the index is
    behind: some of the newest messages cannot be found yet. `ignored` has the parts of the query that cannot be
    searched for, such as a lone comma.
    """

    hits: list[Found]
    before: str | None
    cut: bool
    behind: bool
    ignored: list[str]


def _search_page(*, results: Results | None = None, **shown: Shown) -> Response:
    text = request.args.get("q", "")[: 2 * LONGEST_QUERY]
    is_wrong = shown.get("status") == BAD_REQUEST
    looked_back_to = datetime.fromtimestamp(results.reached, UTC) if results and results.reached else None
    return render(
        "search/search.html",
        text=text,
        fields=results.fields if results else Fields(words=text),
        when=WHEN,
        rooms=services.rooms.listings.rooms_of(current_user.id)[:MOST_ROOMS],
        proposed=services.search.search.proposals_for(text) if is_wrong else (),
        longest=LONGEST_QUERY,
        results=results,
        looked_back_to=looked_back_to,
        permalink=_permalink,
        **shown,
    )


@blueprint.get("/search")
@refusals_on(_search_page)
def page() -> Page:
    """The results, the newest first. Without a query, show only the form. Its fields become a query."""
    text = request.args.get("q", "")
    given = {name: request.args.get(name, "")[:LONGEST_FIELD] for name in ("person", "room", "when")}
    if any(given.values()):
        fields = Fields(words=text[:LONGEST_QUERY], **given)
        return redirect(url_for("search.page", q=fields.query), 303)
    if not text.strip():
        return _search_page()
    return _search_page(results=_find(current_user, text, request.args.get("before")))


@api.get("/search")
@operation("read", {200: SearchAnswer}, query=Asked)
def search_messages() -> Response:
    """Find messages in the rooms that you are in.

    A query has words and "phrases", from:name, in:room, before:2026-01-31, after:yesterday, has:file, has:link. The
    newest messages come first. For older ones, repeat the request with the `before` of the answer.
    """
    asked = query_as(Asked)
    results = _find(asker(), asked.q, asked.before)
    hits = list(map(_found, results.hits))
    return answer(
        SearchAnswer(
            hits=hits,
            before=results.before,
            cut=results.is_cut,
            behind=results.is_behind,
            ignored=list(results.ignored),
        )
    )


def _find(person: LoggedIn, text: str, before: str | None) -> Results:
    services.site.limits.search.check(person.id)
    chosen = person.user.time_zone
    zone = times_in(chosen if find_zone(chosen) else found_zone()).tz
    return services.search.search.find(person.id, text, before, zone=zone)


def _found(hit: Hit) -> Found:
    return Found(
        room=hit.room.slug,
        title=hit.room.title,
        url=_permalink(hit),
        snippet=hit.snippet,
        message=wire(hit.message, "text"),
    )


def _permalink(hit: Hit) -> str:
    return url_for("permalinks.message", slug=hit.room.slug, sequence=hit.message.sequence)
