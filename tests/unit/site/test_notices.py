from typing import Any

import pytest

from chatroom.base.errors import Unavailable
from chatroom.base.models import Notice
from chatroom.mongo.database import Database
from chatroom.site.notices import DEAF_SECONDS, MISSED, Notices
from chatroom.site.notices_store import NoticeStore
from tests.conftest import Clock
from tests.databases import in_memory


@pytest.fixture
def database() -> Database:
    return in_memory()


def notice(name: str) -> Notice:
    return Notice(kind="rooms", user=name)


def test_each_notice_reaches_every_other_process_once(database: Database) -> None:
    one, two, three = (Notices(NoticeStore(database)) for _ in range(3))
    one.tell(notice("a"))
    assert two.hear() == [notice("a")]
    one.tell(notice("b"))
    assert two.hear() == [notice("b")]
    assert two.hear() == []
    assert three.hear() == [notice("a"), notice("b")]


def test_own_notices_are_applied_once(database: Database) -> None:
    applied: list[Notice] = []
    own = Notices(NoticeStore(database), apply=lambda notice: not applied.append(notice))
    own.tell(notice("a"))
    assert applied == [notice("a")]
    assert own.hear() == []


def test_unstored_notices_are_sent_later(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = Notices(NoticeStore(database)), Notices(NoticeStore(database))

    def away(*arguments: Any) -> None:
        raise Unavailable("The database does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(one._store, "add", away)
        one.tell(notice("a"))
        with pytest.raises(Unavailable):
            one.hear()
    assert two.hear() == []
    one.hear()
    assert two.hear() == [notice("a")]


def test_a_process_that_missed_notices_is_informed(database: Database, clock: Clock) -> None:
    notices = Notices(NoticeStore(database), seconds=clock.seconds)
    clock.advance(seconds=DEAF_SECONDS + 1)
    assert notices.hear() == [MISSED]
    clock.advance(seconds=DEAF_SECONDS - 1)
    assert notices.hear() == []
