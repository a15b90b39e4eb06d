"""Reports: members send a message and its neighbours to the moderators of the room and of the site.

Moderators cannot decide about reports of their own messages.
"""

from chatroom.base.access import POWERS, Access
from chatroom.base.clock import Clock, utc_now
from chatroom.base.errors import Refused
from chatroom.base.models import Author, Message, Notice, RoomName, User
from chatroom.messages.changes import Changes
from chatroom.messages.history import History
from chatroom.moderation.reports_store import Report, ReportStore, Said
from chatroom.rooms.access_store import AccessStore
from chatroom.site.acts import Acts
from chatroom.site.audit import about_message, checked
from chatroom.site.authority import author_of
from chatroom.site.notices import Notices

NEIGHBOURS = 3
"""A report includes this number of messages before the reported message, and this number after it."""
LONGEST_REASON = 500
LONGEST_TEXT = 2000
"""The maximum length of each message in a report."""
SHOWN = 50


class Reports:
    """Creates and decides reports."""

    def __init__(
        self,
        store: ReportStore,
        access_store: AccessStore,
        history: History,
        changes: Changes,
        acts: Acts,
        *,
        notices: Notices,
        clock: Clock = utc_now,
    ) -> None:
        self._store = store
        self._access_store = access_store
        self._history = history
        self._changes = changes
        self._acts = acts
        self._notices = notices
        self._clock = clock

    def get_message(self, access: Access, sequence: int) -> Message:
        """Return the message to report; raise `Refused` if it cannot be reported."""
        message = next(iter(self._history.since(access.room, sequence, 1).messages), None)
        if message is None or message.sequence != sequence or message.deleted_at or message.kind != "message":
            raise Refused("not_found", "This message does not exist or was deleted.")
        if message.author.id == access.user_id:
            raise Refused("forbidden", "This is your own message: you can delete it.")
        return message

    def has_reported(self, access: Access, message: Message) -> bool:
        """Return whether the user has reported this message before."""
        return self._store.has(_id_of(message, access.user_id))

    def make(self, access: Access, reporter: Author, message: Message, reason: str) -> None:
        """Report a message with its neighbours. A second report by the same user changes nothing."""
        reason = checked(reason, "Describe the problem, so that the moderators understand it.", LONGEST_REASON)
        around = self._history.around(access.room, message.sequence, 2 * NEIGHBOURS).messages
        self._store.add(
            Report(
                id=_id_of(message, access.user_id),
                room=RoomName(access.room.id, access.room.slug, access.room.title),
                message=message.id,
                sequence=message.sequence,
                author=message.author,
                reporter=reporter,
                reason=reason,
                created_at=self._clock(),
                said=tuple(map(_said, around)),
            )
        )
        self._notices.tell(_notice(message.author, access.room.id))

    def list_for(self, by: User) -> list[Report]:
        """Return the open reports for this moderator, the oldest first; raise `Refused` if `by` moderates nothing."""
        rooms = None if POWERS[by.role] else self._access_store.moderated_by(by.id)
        if rooms is not None and not rooms:
            raise Refused("not_found", "The page does not exist, or you may not see it.")
        return [report for report in self._store.list_open(rooms, SHOWN) if report.author.id != by.id]

    def count_for(self, by: User) -> int | None:
        """Count the open reports that `list_for` returns, up to `SHOWN`; return None if `by` moderates nothing."""
        rooms = None if POWERS[by.role] else self._access_store.moderated_by(by.id)
        return self._store.count_open_in(rooms, by.id, SHOWN) if rooms is None or rooms else None

    def list_open(self) -> list[Report]:
        """Return all open reports, for the console."""
        return self._store.list_open(None, SHOWN)

    def get_for(self, by: User, report_id: str) -> Report:
        """Return an open report that this moderator may decide about; raise `Refused` if there is none."""
        report = self._store.find_open(report_id)
        may_see = report and (POWERS[by.role] or report.room.id in self._access_store.moderated_by(by.id))
        if report is None or not may_see or report.author.id == by.id:
            raise Refused("not_found", "This report was already closed, or you may not decide about it.")
        return report

    def delete_message(self, by: User, report: Report, reason: str) -> None:
        """Delete the reported message; raise `Refused` unless the user moderates its room."""
        access = self._access_store.find(by.id, report.room.slug)
        if access is None or not access.may_moderate:
            raise Refused("forbidden", "Only moderators of the room can delete this message.")
        self._changes.make(access.room, self._changes.deleting(access, report.message, reason))

    def close(self, by: User, report: Report, outcome: list[str], reason: str) -> None:
        """Close all reports of the message; an empty `outcome` dismisses them."""
        # The act has no room, because the report may be about an administrator of the room, who could read the entry.
        self._acts.do(
            "reports",
            lambda note: self._store.close_all(report.message, outcome, author_of(by), note) > 0,
            author_of(by),
            "uphold_report" if outcome else "dismiss_report",
            about_message(report.message, report.author, report.room.title),
            reason=reason,
            details={"reports": self._store.count_open(report.message)},
            tell=[_notice(report.author, report.room.id)],
        )


def _notice(author: Author, room_id: str) -> Notice:
    """The notice for the moderators: the open reports changed. The author of the message is not told."""
    return Notice(kind="report", user=author.id, room=room_id)


def _id_of(message: Message, user_id: str) -> str:
    return f"{message.id}:{user_id}"


def _said(message: Message) -> Said:
    return Said(
        sequence=message.sequence,
        author=message.author,
        text=message.text[:LONGEST_TEXT],
        sent_at=message.sent_at,
        is_deleted=message.deleted_at is not None,
    )
