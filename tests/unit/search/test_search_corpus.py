"""What people search for is found, and marked in the text; see the README of tests/corpus/search."""

import pytest

from chatroom.mongo.database import Database
from tests.corpus import HERE, read_lookups
from tests.unit.search.site import Site

KINDS = sorted(path.stem for path in (HERE / "search").glob("*.txt"))


@pytest.fixture
def site(database: Database) -> Site:
    return Site(database)


@pytest.mark.parametrize("kind", KINDS)
def test_a_query_finds_and_marks_what_was_meant(site: Site, kind: str) -> None:
    lookups = list(read_lookups(kind))
    ids = {text: site.say(text)[0].id for text in dict.fromkeys(each.text for each in lookups)}
    wrong = []
    for each in lookups:
        hits = {hit.message.id: hit.snippet for hit in site.find(each.query, limit=len(ids)).hits}
        snippet = hits.get(ids[each.text])
        marked = None if snippet is None else [piece.text for piece in snippet if piece.is_hit]
        if marked != each.marked:
            wrong.append(f"{each.text!r}, {each.query!r}: {marked}, not {each.marked}")
    assert wrong == []


def test_the_corpus_has_200_lines() -> None:
    assert sum(len(list(read_lookups(kind))) for kind in KINDS) >= 200
