"""Report a message; and the page of open reports."""

from flask import Blueprint, Response, flash, redirect, request, url_for

from chatroom.base.access import Access
from chatroom.base.errors import Refused
from chatroom.base.models import Message, User
from chatroom.moderation.reports_store import Report
from chatroom.site.authority import has_power
from chatroom.web.kit.login import current_user, login_required
from chatroom.web.kit.pages import Page, form_page, refusals_on, render
from chatroom.web.kit.services import services
from chatroom.web.messages.pages import LARGEST_SEQUENCE
from chatroom.web.moderation.forms import OrderForm, ReportForm

blueprint = Blueprint("reports", __name__)


def _find(slug: str, sequence: int) -> tuple[Access, Message]:
    access = services.rooms.access.get_for(current_user.id, slug)
    return access, services.moderation.reports.get_message(access, min(sequence, LARGEST_SEQUENCE))


def _report_page(
    slug: str, sequence: int, form: ReportForm | None = None, status: int = 200, msg: str = ""
) -> Response:
    access, message = _find(slug, sequence)
    return render(
        "moderation/report.html",
        status,
        room=access.room,
        message=message,
        form=form or ReportForm(),
        msg=msg,
        is_done=services.moderation.reports.has_reported(access, message),
    )


@blueprint.route("/chatroom/<slug>/<int:sequence>/report", methods=["GET", "POST"])
@login_required
@form_page(_report_page, ReportForm)
def report(form: ReportForm, slug: str, sequence: int) -> Page:
    """Report a message to the moderators."""
    access, message = _find(slug, sequence)
    services.site.limits.reporting.check(current_user.id)
    services.moderation.reports.make(access, current_user.author, message, form.typed)
    return redirect(url_for("reports.report", slug=slug, sequence=sequence), 303)


def _queue_page(report_id: str = "", status: int = 200, msg: str = "") -> Response:
    """The open reports; `report_id` is the one that was not decided."""
    by = current_user.user
    rows = []
    for each in services.moderation.reports.list_for(by):
        access = services.rooms.access.find_for(by.id, each.room.slug)
        user = services.people.users.find(each.author.id)
        may_order = user is not None and has_power(by, user)
        rows.append((each, access is not None and access.may_moderate, may_order))
    return render("moderation/reports.html", status, rows=rows, form=OrderForm(), msg=msg, at=report_id)


@blueprint.get("/reports")
@login_required
def queue() -> Page:
    """The open reports."""
    return _queue_page()


@blueprint.post("/reports/<report_id>")
@login_required
@refusals_on(_queue_page)
def decide(report_id: str) -> Page:
    """Dismiss a report, or delete the message, or mute or ban its author."""
    outcome = _decide(services.moderation.reports.get_for(current_user.user, report_id))
    flash("Done: " + ", ".join(outcome) + "." if outcome else "The report was dismissed.", "success")
    return redirect(url_for("reports.queue"), 303)


def _decide(found: Report) -> list[str]:
    form = OrderForm()
    by, reason = current_user.user, form.reason.data or ""
    outcome = []
    if "dismiss" not in request.form:
        act = request.form.get("author", "")
        if act:
            _act_on_author(act, by, found, form, reason)
            outcome.append(act)
        if "delete" in request.form:
            services.moderation.reports.delete_message(by, found, reason)
            outcome.append("message deleted")
        if not outcome:
            raise Refused("invalid", "Choose what to do, or dismiss the report.")
    services.moderation.reports.close(by, found, outcome, reason)
    return outcome


def _act_on_author(act: str, by: User, found: Report, form: OrderForm, reason: str) -> None:
    user = services.moderation.moderation.get(found.author.id)
    end = form.end
    if act == "muted in the room":
        access = services.rooms.access.get_for(by.id, found.room.slug)
        services.moderation.moderation.mute_in(access, by, user, end, reason)
    elif act == "muted":
        services.moderation.moderation.mute(by, user, end, reason)
    elif act == "banned":
        services.moderation.moderation.ban(by, user, end, reason)
    else:
        raise Refused("invalid", "Choose what to do, or dismiss the report.")
