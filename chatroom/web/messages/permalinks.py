"""A message's own page: the room around it, and, without JavaScript, all its actions."""

from functools import partial

from flask import Blueprint, Response, redirect, url_for
from werkzeug.wrappers import Response as BaseResponse

from chatroom.base.access import Access
from chatroom.base.models import Message
from chatroom.messages.writer import Change
from chatroom.web.kit.forms import Form
from chatroom.web.kit.login import client_address, current_user, login_required
from chatroom.web.kit.pages import Page, form_page
from chatroom.web.kit.services import services
from chatroom.web.messages.forms import EditForm, MessageForm, PinForm, ReactForm
from chatroom.web.messages.pages import LARGEST_SEQUENCE, open_room, room_page

blueprint = Blueprint("permalinks", __name__)


@blueprint.get("/chatroom/<slug>/<int:sequence>")
@login_required
def message(slug: str, sequence: int) -> Page:
    """The room with a message in view; a sequence that no message has leads to the next one."""
    access = open_room(slug)
    sequence = min(sequence, LARGEST_SEQUENCE)
    page = services.messages.history.around(access.room, sequence, services.settings.history_page)
    target = next(each for each in page.messages if each.sequence >= sequence)
    if target.sequence != sequence:
        return _redirect_to(access, target)
    return room_page(access, MessageForm(), page, target=target, edit_form=_edit_form(target))


def _message_page(
    part: str, slug: str, sequence: int, *, form: Form | None = None, status: int = 200, msg: str = ""
) -> Response:
    """The message's page with what was typed; why it was refused stands beside one of its forms, the `part`."""
    access, target = _find(slug, sequence)
    edit_form = form if isinstance(form, EditForm) else _edit_form(target)
    edit_form.revision.data = str(target.revision)  # what is there now is shown, and may be replaced from now on
    page = services.messages.history.around(access.room, target.sequence, services.settings.history_page)
    problem = {f"{part}_problem": msg}
    return room_page(
        access, MessageForm(formdata=None), page, status=status, target=target, edit_form=edit_form, **problem
    )


@blueprint.post("/chatroom/<slug>/<int:sequence>/edit")
@login_required
@form_page(partial(_message_page, "edit"), EditForm)
def edit(form: EditForm, slug: str, sequence: int) -> Page:
    """Change the text of your own message."""
    access, target = _find(slug, sequence)
    return _change(access, target, services.messages.changes.editing(access, target.id, form.typed, seen=form.seen))


@blueprint.post("/chatroom/<slug>/<int:sequence>/delete")
@login_required
@form_page(partial(_message_page, "delete"))
def delete(slug: str, sequence: int) -> Page:
    """Delete a message."""
    access, target = _find(slug, sequence)
    return _change(access, target, services.messages.changes.deleting(access, target.id))


@blueprint.post("/chatroom/<slug>/<int:sequence>/react")
@login_required
@form_page(partial(_message_page, "react"), ReactForm)
def react(form: ReactForm, slug: str, sequence: int) -> Page:
    """Put an emoji on a message, or take it back."""
    access, target = _find(slug, sequence)
    return _change(access, target, services.messages.changes.reacting(access, target.id, form.chosen, on=form.is_on))


@blueprint.post("/chatroom/<slug>/<int:sequence>/pin")
@login_required
@form_page(partial(_message_page, "pin"), PinForm)
def pin(form: PinForm, slug: str, sequence: int) -> Page:
    """Pin a message to the top of its room, or unpin it."""
    access, target = _find(slug, sequence)
    is_on = form.on.data != "false"
    return _change(access, target, services.messages.changes.pinning(access, target.id, on=is_on))


def _find(slug: str, sequence: int) -> tuple[Access, Message]:
    access = services.rooms.access.get_for(current_user.id, slug)
    return access, services.messages.history.at(access.room, min(sequence, LARGEST_SEQUENCE))


def _change(access: Access, target: Message, change: Change) -> Page:
    services.messages.posting.change(access, change, client_address())
    return _redirect_to(access, target)


def _redirect_to(access: Access, target: Message) -> BaseResponse:
    return redirect(url_for("permalinks.message", slug=access.room.slug, sequence=target.sequence), 303)


def _edit_form(target: Message) -> EditForm:
    return EditForm(formdata=None, data={"text": target.text, "revision": str(target.revision)})
