"""The open reports and held messages of a moderator, counted for the badge that every page shows."""

import msgspec
from flask import Response, g

from chatroom.base.errors import Refused
from chatroom.base.models import User
from chatroom.web.kit.api import answer, api_blueprint, asker
from chatroom.web.kit.login import current_user
from chatroom.web.kit.openapi import operation
from chatroom.web.kit.services import services

api = api_blueprint("cases_api")


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
        g.open_cases = _count(current_user.user)
    found: Cases = g.open_cases
    return found


class CasesAnswer(msgspec.Struct):
    """How much waits for your decision: open reports (at most 50 are counted), and held messages (at most 100)."""

    reports: int
    held: int


@api.get("/cases")
@operation(None, {200: CasesAnswer}, refusals=(401, 403, 404))
def count_open_cases() -> Response:
    """The open reports and held messages that you may decide. If you moderate nothing, the status is 404."""
    found = _count(asker().user)
    if not found.may_decide:
        raise Refused("not_found", "You moderate neither this site nor a room.")
    return answer(CasesAnswer(found.reports, found.held))


def _count(by: User) -> Cases:
    reports = services.moderation.reports.count_for(by)
    if reports is None:
        return Cases()
    return Cases(reports, services.moderation.approval.count_for(by), may_decide=True)
