from datetime import UTC, datetime, timedelta

from chatroom.base.models import Notice
from chatroom.mongo.database import Database
from chatroom.site.notices_store import NoticeStore

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
NOTICE = Notice(kind="read", user="u", room="r", data={"sequence": 7})


def test_notices_are_read_in_order(database: Database) -> None:
    store = NoticeStore(database)
    first, second = store.new_id(), store.new_id()
    store.add(first, NOTICE)
    store.add(second, Notice(kind="rooms", user="u"))

    told = store.told_since(LONG_AGO)
    assert {each.id: each.notice for each in told} == {first: NOTICE, second: Notice(kind="rooms", user="u")}
    assert [each.at for each in told] == sorted(each.at for each in told)
    assert store.told_since(told[-1].at + timedelta(seconds=1)) == []


def test_the_same_again_is_one(database: Database) -> None:
    store = NoticeStore(database)
    notice_id = store.new_id()
    for _ in range(2):
        store.add(notice_id, NOTICE)

    assert [each.id for each in store.told_since(LONG_AGO)] == [notice_id]
