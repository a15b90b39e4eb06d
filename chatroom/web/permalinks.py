"""A message's own page: the room around it, and, where there is no script, everything that can be done with it."""

from flask import Blueprint, redirect, url_for

from chatroom.web.forms import MessageForm
from chatroom.web.login import Page, current_user, login_required
from chatroom.web.pages import LARGEST_SEQUENCE, room_page
from chatroom.web.services import services

blueprint = Blueprint("permalinks", __name__)


@blueprint.get("/chatroom/<slug>/<int:sequence>")
@login_required
def message(slug: str, sequence: int) -> Page:
    """The room with a message in view; a sequence that no message has leads to the next one."""
    access = services.rooms.get_for(current_user.id, slug)
    sequence = min(sequence, LARGEST_SEQUENCE)
    page = services.messages.around(access.room, sequence, services.settings.history_page)
    target = next(each for each in page.messages if each.sequence >= sequence)
    if target.sequence != sequence:
        return redirect(url_for("permalinks.message", slug=access.room.slug, sequence=target.sequence), 303)
    return room_page(access, MessageForm(), page, target=target)
