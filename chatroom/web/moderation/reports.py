"""Report a message; and the queue of those who decide about reports."""

from datetime import UTC, datetime

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for

from chatroom.base.access import Access
from chatroom.base.durations import end_of
from chatroom.base.errors import Refused, Unavailable
from chatroom.base.models import Message, User
from chatroom.moderation.reports_store import Report
from chatroom.site.authority import has_power
from chatroom.web.kit.errors import page_with_status, retry_after_of, status_of, with_retry_after
from chatroom.web.kit.forms import OrderForm, ReportForm
from chatroom.web.kit.login import Page, current_user, login_required
from chatroom.web.kit.security import form_checks_token
from chatroom.web.kit.services import services
from chatroom.web.messages.pages import LARGEST_SEQUENCE

blueprint = Blueprint("reports", __name__)


@blueprint.route("/chatroom/<slug>/<int:sequence>/report", methods=["GET", "POST"])
@form_checks_token
@login_required
def report(slug: str, sequence: int) -> Page:
    """Hand a message to the moderators."""
    access = services.rooms.rooms.get_for(current_user.id, slug)
    message = services.moderation.reports.get_message(access, min(sequence, LARGEST_SEQUENCE))
    form = ReportForm()
    if request.method != "POST":
        return _report_page(access, message, form)
    if not form.validate():
        return _report_page(access, message, form, 400, form.problem)
    try:
        services.site.limits.reporting.check(current_user.id)
        services.moderation.reports.make(access, current_user.author, message, form.typed)
    except (Refused, Unavailable) as error:
        page = _report_page(access, message, form, status_of(error), str(error))
        return with_retry_after(page, retry_after_of(error))
    return redirect(url_for("reports.report", slug=slug, sequence=sequence), 303)


@blueprint.get("/reports")
@login_required
def queue() -> Page:
    """What waits for a decision."""
    return _queue_page(OrderForm())


@blueprint.post("/reports/<report_id>")
@login_required
def decide(report_id: str) -> Page:
    """Dismiss a report, or delete the message, or mute or ban its author."""
    form = OrderForm()
    try:
        outcome = _decide(services.moderation.reports.get_for(current_user.user, report_id), form)
    except (Refused, Unavailable) as error:
        page = _queue_page(form, status_of(error), str(error), at=report_id)
        return with_retry_after(page, retry_after_of(error))
    flash("Done: " + ", ".join(outcome) + "." if outcome else "The report is dismissed.", "success")
    return redirect(url_for("reports.queue"), 303)


def _decide(found: Report, form: OrderForm) -> list[str]:
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
    end = end_of(form.duration.data or "", datetime.now(UTC))
    if act == "muted in the room":
        access = services.rooms.rooms.get_for(by.id, found.room.slug)
        services.moderation.moderation.mute_in(access, by, user, end, reason)
    elif act == "muted":
        services.moderation.moderation.mute(by, user, end, reason)
    elif act == "banned":
        services.moderation.moderation.ban(by, user, end, reason)
    else:
        raise Refused("invalid", "Choose what to do, or dismiss the report.")


def _report_page(access: Access, message: Message, form: ReportForm, status: int = 200, msg: str = "") -> Response:
    is_done = services.moderation.reports.has_reported(access, message)
    html = render_template(
        "moderation/report.html", room=access.room, message=message, form=form, msg=msg, is_done=is_done
    )
    return page_with_status(html, status)


def _queue_page(form: OrderForm, status: int = 200, msg: str = "", at: str = "") -> Response:
    by = current_user.user
    rows = []
    for each in services.moderation.reports.list_for(by):
        access = services.rooms.rooms.find_for(by.id, each.room.slug)
        user = services.people.users.find(each.author.id)
        may_order = user is not None and has_power(by, user)
        rows.append((each, access is not None and access.may_moderate, may_order))
    return page_with_status(render_template("moderation/reports.html", rows=rows, form=form, msg=msg, at=at), status)
