"""The queue of the messages that wait for approval, for those who decide about them."""

from datetime import UTC, datetime

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for

from chatroom.base.errors import Refused, Unavailable
from chatroom.web.kit.errors import page_with_status, retry_after_of, status_of, with_retry_after
from chatroom.web.kit.login import Page, current_user, login_required
from chatroom.web.kit.services import services

LONGEST_TYPED = 1000

blueprint = Blueprint("approval", __name__)


@blueprint.get("/approval")
@login_required
def queue() -> Page:
    """What waits for a decision."""
    return _queue_page()


@blueprint.post("/approval/<held_id>")
@login_required
def decide(held_id: str) -> Page:
    """Approve a message, reject it, or approve whatever its author writes from now on."""
    try:
        said = _decide(held_id, request.form.get("act", ""))
    except (Refused, Unavailable) as error:
        page = _queue_page(status_of(error), str(error), at=held_id)
        return with_retry_after(page, retry_after_of(error))
    flash(said, "success")
    return redirect(url_for("approval.queue"), 303)


def _decide(held_id: str, act: str) -> str:
    by, approval = current_user.user, services.moderation.approval
    if act == "reject":
        reason = request.form.get("reason", "")[:LONGEST_TYPED]
        count = approval.reject(by, held_id, reason, with_others="others" in request.form)
        return "The message is rejected." if count == 1 else f"{count} messages are rejected."
    if act not in {"approve", "trust"}:
        raise Refused("invalid", "Choose whether to approve the message or to reject it.")
    approval.approve(by, held_id, is_trusting=act == "trust")
    return "The message is posted." + (" Their next ones will not wait." if act == "trust" else "")


def _queue_page(status: int = 200, msg: str = "", at: str = "") -> Response:
    rows = services.moderation.approval.list_for(current_user.user)
    now = datetime.now(UTC)
    return page_with_status(render_template("moderation/approval.html", rows=rows, now=now, msg=msg, at=at), status)
