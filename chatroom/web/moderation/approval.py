"""The page of held messages, for moderators."""

from datetime import UTC, datetime

from flask import Response, request

from chatroom.base.errors import Refused
from chatroom.web.kit.login import current_user, page_blueprint
from chatroom.web.kit.pages import Page, Shown, redirect_to, refusals_on, render
from chatroom.web.kit.services import services

LONGEST_TYPED = 1000

blueprint = page_blueprint("approval")


@blueprint.get("/approval")
def queue(held_id: str = "", **shown: Shown) -> Response:
    """The held messages. If a decision was refused, `held_id` is the id of its held message."""
    rows = services.moderation.approval.list_for(current_user.user)
    return render("moderation/approval.html", rows=rows, now=datetime.now(UTC), at=held_id, **shown)


@blueprint.post("/approval/<held_id>")
@refusals_on(queue)
def decide(held_id: str) -> Page:
    """Approve or reject a message, or approve it and hold none of the author's later messages."""
    act, by, approval = request.form.get("act", ""), current_user.user, services.moderation.approval
    if act == "reject":
        reason = request.form.get("reason", "")[:LONGEST_TYPED]
        count = approval.reject(by, held_id, reason, with_others="others" in request.form)
        said = "The message was rejected." if count == 1 else f"{count} messages were rejected."
    elif act in {"approve", "trust"}:
        approval.approve(by, held_id, is_trusting=act == "trust")
        said = "The message was posted." + (" Later messages of the author are not held." if act == "trust" else "")
    else:
        raise Refused("invalid", "Choose whether to approve or to reject the message.")
    return redirect_to("approval.queue", said)
