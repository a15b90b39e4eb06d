"""A message's own page: the room around it, and, where there is no script, everything that can be done with it."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, redirect, url_for
from werkzeug.wrappers import Response as BaseResponse

from chatroom.base.access import Access
from chatroom.base.errors import Refused, Unavailable
from chatroom.base.models import Message
from chatroom.messages.writer import Change
from chatroom.web.kit.errors import retry_after_of, status_of, with_retry_after
from chatroom.web.kit.forms import Form
from chatroom.web.kit.login import client_address, current_user, login_required
from chatroom.web.kit.pages import Page
from chatroom.web.kit.security import exempt_from_csrf
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
        return _lead_to(access, target)
    return room_page(access, MessageForm(), page, target=target, edit_form=_edit_form(target))


@blueprint.post("/chatroom/<slug>/<int:sequence>/edit")
@exempt_from_csrf
@login_required
def edit(slug: str, sequence: int) -> Page:
    """Give one's own message another text."""
    access, target = _find(slug, sequence)
    form = EditForm()
    if not form.validate():
        return _message_page(access, target, form, form.problem, 400)
    try:
        _change(access, services.messages.changes.editing(access, target.id, form.typed, seen=form.seen))
    except (Refused, Unavailable) as error:
        page = _message_page(
            access, services.messages.history.at(access.room, sequence), form, str(error), status_of(error)
        )
        return with_retry_after(page, retry_after_of(error))
    return _lead_to(access, target)


@blueprint.post("/chatroom/<slug>/<int:sequence>/delete")
@exempt_from_csrf
@login_required
def delete(slug: str, sequence: int) -> Page:
    """Take a message back."""
    access, target = _find(slug, sequence)
    form = Form()
    if not form.validate():
        return _message_page(access, target, _edit_form(target), form.problem, 400)
    _change(access, services.messages.changes.deleting(access, target.id))
    return _lead_to(access, target)


@blueprint.post("/chatroom/<slug>/<int:sequence>/react")
@exempt_from_csrf
@login_required
def react(slug: str, sequence: int) -> Page:
    """Put an emoji on a message, or take it back."""
    access, target = _find(slug, sequence)
    form = ReactForm()
    return _mark(
        access,
        target,
        form,
        lambda: services.messages.changes.reacting(access, target.id, form.chosen, on=form.is_on),
        "react",
    )


@blueprint.post("/chatroom/<slug>/<int:sequence>/pin")
@exempt_from_csrf
@login_required
def pin(slug: str, sequence: int) -> Page:
    """Pin a message to the top of its room, or unpin it."""
    access, target = _find(slug, sequence)
    form = PinForm()
    return _mark(
        access,
        target,
        form,
        lambda: services.messages.changes.pinning(access, target.id, on=form.on.data != "false"),
        "pin",
    )


def _mark(access: Access, target: Message, form: Form, make: Callable[[], Change], name: str) -> Page:
    """Change a message as its form says; a refusal comes back beside that form, as `<name>_problem`."""
    try:
        if not form.validate():
            raise Refused("invalid", form.problem)
        _change(access, make())
    except (Refused, Unavailable) as error:
        problem = {f"{name}_problem": str(error)}
        page = _message_page(access, target, _edit_form(target), "", status_of(error), **problem)
        return with_retry_after(page, retry_after_of(error))
    return _lead_to(access, target)


def _find(slug: str, sequence: int) -> tuple[Access, Message]:
    access = services.rooms.access.get_for(current_user.id, slug)
    return access, services.messages.history.at(access.room, min(sequence, LARGEST_SEQUENCE))


def _change(access: Access, change: Change) -> None:
    services.messages.posting.change(access, change, client_address())


def _lead_to(access: Access, target: Message) -> BaseResponse:
    return redirect(url_for("permalinks.message", slug=access.room.slug, sequence=target.sequence), 303)


def _edit_form(target: Message) -> EditForm:
    return EditForm(formdata=None, data={"text": target.text, "revision": str(target.revision)})


def _message_page(access: Access, target: Message, form: EditForm, problem: str, status: int, **more: Any) -> Response:
    """The message's page with what was typed; once what is there now was shown, it may be replaced."""
    form.revision.data = str(target.revision)
    page = services.messages.history.around(access.room, target.sequence, services.settings.history_page)
    return room_page(
        access,
        MessageForm(formdata=None),
        page,
        status=status,
        target=target,
        edit_form=form,
        edit_problem=problem,
        **more,
    )
