"""The audit log, on both databases."""

from chatroom.mongo.database import Database
from chatroom.site.audit import CONSOLE, ENTRIES, Audit
from chatroom.site.audit_store import AuditStore, Subject
from tests.conftest import Clock
from tests.databases import record
from tests.people import ALICE, BOB

SOMEBODY, OTHER = Subject("user", "u1", "ann"), Subject("user", "u2", "ben")


def test_actor_act_subject_time_and_reason(database: Database, clock: Clock) -> None:
    audit = Audit(AuditStore(database))
    record(database, ALICE, "ban", SOMEBODY, "spam", details={"until": "lifted", "count": 3}, at=clock.now)
    (entry,) = audit.page().entries
    assert (entry.actor, entry.act, entry.subject, entry.reason) == (ALICE, "ban", SOMEBODY, "spam")
    assert entry.at == clock.now
    assert entry.details == {"until": "lifted", "count": 3}


def test_the_newest_first_in_pages_that_overlap_nowhere(database: Database) -> None:
    audit = Audit(AuditStore(database))
    for n in range(2 * ENTRIES + 3):
        record(database, CONSOLE, "mute", SOMEBODY, str(n))
    seen, before = [], ""
    for _ in range(3):
        page = audit.page(before)
        seen += [entry.reason for entry in page.entries]
        before = page.before
    assert seen == [str(n) for n in reversed(range(2 * ENTRIES + 3))]
    assert before == ""


def test_filters(database: Database) -> None:
    audit = Audit(AuditStore(database))
    record(database, ALICE, "ban", SOMEBODY)
    record(database, BOB, "mute", SOMEBODY)
    record(database, ALICE, "mute", OTHER)
    assert [entry.act for entry in audit.page(subject="u1").entries] == ["mute", "ban"]
    assert [entry.act for entry in audit.page(actor=ALICE.id).entries] == ["mute", "ban"]
    assert [entry.subject.id for entry in audit.page(act="mute").entries] == ["u2", "u1"]
    assert audit.page(act="mute", actor=BOB.id, subject="u2").entries == []


def test_a_wrong_place_is_the_beginning(database: Database) -> None:
    audit = Audit(AuditStore(database))
    record(database, ALICE, "ban", SOMEBODY)
    assert len(audit.page("$ne").entries) == 1
