"""The page of held messages, for moderators."""

from datetime import UTC, datetime

from flask import Blueprint, Response, flash, redirect, request, url_for

from chatroom.base.errors import Refused
from chatroom.web.kit.login import current_user, login_required
from chatroom.web.kit.pages import Page, refusals_on, render
from chatroom.web.kit.services import services

LONGEST_TYPED = 1000

blueprint = Blueprint("approval", __name__)


def _queue_page(held_id: str = "", status: int = 200, msg: str = "") -> Response:
    """What waits; `held_id` is the one that was not decided."""
    rows = services.moderation.held_list.list_for(current_user.user)
    return render("moderation/approval.html", status, rows=rows, now=datetime.now(UTC), msg=msg, at=held_id)


@blueprint.get("/approval")
@login_required
def queue() -> Page:
    """The open reports."""
    return _queue_page()


@blueprint.post("/approval/<held_id>")
@login_required
@refusals_on(_queue_page)
def decide(held_id: str) -> Page:
    """Approve a message, reject it, or approve whatever its author writes from now on."""
    flash(_decide(held_id, request.form.get("act", "")), "success")
    return redirect(url_for("approval.queue"), 303)


def _decide(held_id: str, act: str) -> str:
    by, approval = current_user.user, services.moderation.approval
    if act == "reject":
        reason = request.form.get("reason", "")[:LONGEST_TYPED]
        count = approval.reject(by, held_id, reason, with_others="others" in request.form)
        return "The message is rejected." if count == 1 else f"{count} messages are rejected."
    if act not in {"approve", "trust"}:
        raise Refused("invalid", "Choose to approve or to reject the message.")
    approval.approve(by, held_id, is_trusting=act == "trust")
    return "The message is posted." + (" Their next ones will not wait." if act == "trust" else "")
