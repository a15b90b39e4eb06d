"""The open reports and held messages of a moderator, counted for the badge that every page shows."""

import msgspec
from flask import g

from chatroom.web.kit.login import current_user
from chatroom.web.kit.services import services


class Cases(msgspec.Struct, frozen=True):
    """What a user may decide. `may_decide` is whether the user moderates the site or a room."""

    reports: int = 0
    held: int = 0
    may_decide: bool = False

    @property
    def count(self) -> int:
        """The number in the badge."""
        return self.reports + self.held


def open_cases() -> Cases:
    """Return the open cases of the user of this request. They are counted once for each page."""
    if "open_cases" not in g:
        g.open_cases = _count()
    found: Cases = g.open_cases
    return found


def _count() -> Cases:
    by = current_user.user
    reports = services.moderation.reports.count_for(by)
    if reports is None:
        return Cases()
    return Cases(reports, services.moderation.approval.count_for(by), may_decide=True)
