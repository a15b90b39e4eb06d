"""The page to report a message, and the page of open reports."""

from flask import Response, request
from wtforms import TextAreaField

from chatroom.base.access import Access
from chatroom.base.errors import Refused
from chatroom.base.models import Message
from chatroom.moderation.reports import LONGEST_REASON
from chatroom.moderation.reports_store import Report
from chatroom.site.authority import has_power
from chatroom.web.kit.forms import Form, as_lines
from chatroom.web.kit.login import current_user, get_access, page_blueprint
from chatroom.web.kit.pages import Page, Shown, form_page, redirect_to, refusals_on, render
from chatroom.web.kit.services import services
from chatroom.web.messages.pages import LARGEST_SEQUENCE
from chatroom.web.people.people import SanctionForm

blueprint = page_blueprint("reports")


class ReportForm(Form):
    """Report a message."""

    reason = TextAreaField(
        "What is wrong with it?", filters=[as_lines], render_kw={"required": True, "maxlength": LONGEST_REASON}
    )


def _find(slug: str, sequence: int) -> tuple[Access, Message]:
    access = get_access(slug)
    return access, services.moderation.reports.get_message(access, min(sequence, LARGEST_SEQUENCE))


def _report_page(slug: str, sequence: int, form: ReportForm | None = None, **shown: Shown) -> Response:
    access, message = _find(slug, sequence)
    return render(
        "moderation/report.html",
        room=access.room,
        message=message,
        form=form or ReportForm(),
        is_done=services.moderation.reports.has_reported(access, message),
        **shown,
    )


@blueprint.route("/chatroom/<slug>/<int:sequence>/report", methods=["GET", "POST"])
@form_page(_report_page, ReportForm)
def report(form: ReportForm, slug: str, sequence: int) -> Page:
    """Report a message to the moderators."""
    access, message = _find(slug, sequence)
    services.site.limits.reporting.check(current_user.id)
    services.moderation.reports.make(access, current_user.author, message, form.reason.data)
    return redirect_to("reports.report", slug=slug, sequence=sequence)


@blueprint.get("/reports")
def queue(report_id: str = "", **shown: Shown) -> Response:
    """The open reports. If a decision was refused, `report_id` is the id of its report."""
    by = current_user.user
    rows = []
    for each in services.moderation.reports.list_for(by):
        access = services.rooms.access.find_for(by.id, each.room.slug)
        user = services.people.users.find(each.author.id)
        may_order = user is not None and has_power(by, user)
        rows.append((each, access is not None and access.may_moderate, may_order))
    return render("moderation/reports.html", rows=rows, form=SanctionForm(), at=report_id, **shown)


@blueprint.post("/reports/<report_id>")
@refusals_on(queue)
def decide(report_id: str) -> Page:
    """Dismiss a report; or delete the message, or mute or ban its author, or both."""
    reports, form, by = services.moderation.reports, SanctionForm(), current_user.user
    found, reason = reports.get_for(by, report_id), form.reason.data or ""
    outcome = []
    if "dismiss" not in request.form:
        if act := request.form.get("author", ""):
            _act_on_author(act, found, form)
            outcome.append(act)
        if "delete" in request.form:
            reports.delete_message(by, found, reason)
            outcome.append("message deleted")
        if not outcome:
            raise Refused("invalid", "Choose what to do, or dismiss the report.")
    reports.close(by, found, outcome, reason)
    said = "Done: " + ", ".join(outcome) + "." if outcome else "The report was dismissed."
    return redirect_to("reports.queue", said)


def _act_on_author(act: str, found: Report, form: SanctionForm) -> None:
    by, moderation = current_user.user, services.moderation.moderation
    user, end, reason = moderation.get(found.author.id), form.end, form.reason.data or ""
    if act == "muted in the room":
        moderation.mute_in(get_access(found.room.slug), by, user, end, reason)
    elif act == "muted":
        moderation.mute(by, user, end, reason)
    elif act == "banned":
        moderation.ban(by, user, end, reason)
    else:
        raise Refused("invalid", "Choose what to do, or dismiss the report.")
