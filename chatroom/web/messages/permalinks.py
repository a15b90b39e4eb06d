"""The page of one message, with the messages around it, and with forms that work without scripts."""

from functools import partial
from typing import Any

from flask import Response

from chatroom.base.access import Access
from chatroom.base.models import Message
from chatroom.messages.versions import check_versions, editions_of
from chatroom.messages.writer import Change
from chatroom.web.kit.forms import Form
from chatroom.web.kit.login import client_address, get_access, page_blueprint
from chatroom.web.kit.pages import Page, form_page, redirect_to, render
from chatroom.web.kit.services import services
from chatroom.web.messages.forms import EditForm, MessageForm, PinForm, ReactForm
from chatroom.web.messages.pages import LARGEST_SEQUENCE, open_room, room_page, sent_query

blueprint = page_blueprint("permalinks")


@blueprint.get("/chatroom/<slug>/<int:sequence>")
def message(slug: str, sequence: int) -> Page:
    """The room, scrolled to a message. If the message does not exist, redirect to the next message."""
    access = open_room(slug)
    sequence = min(sequence, LARGEST_SEQUENCE)
    page = services.messages.history.around(access.room, sequence, services.settings.history_page)
    target = next(each for each in page.messages if each.sequence >= sequence)
    if target.sequence != sequence:
        return _redirect_to(access, target)
    return room_page(access, MessageForm(), page, target=target, edit_form=_edit_form(target))


@blueprint.get("/chatroom/<slug>/<int:sequence>/changes")
def changes(slug: str, sequence: int) -> Page:
    """What a message said before each edit, for its author and the moderators of the room."""
    access, target = _find(slug, sequence)
    check_versions(access, target)
    editions = editions_of(target, services.messages.store.versions_of(target.id)) if target.edited_at else []
    return render("messages/changes.html", room=access.room, message=target, editions=editions)


def _message_page(
    part: str, slug: str, sequence: int, *, form: Form | None = None, status: int = 200, msg: str = ""
) -> Response:
    """Render the page of a message after a refusal. `part` is the name of the refused form."""
    access, target = _find(slug, sequence)
    edit_form = form if isinstance(form, EditForm) else _edit_form(target)
    edit_form.revision.data = str(target.revision)  # the page now shows the current text
    page = services.messages.history.around(access.room, target.sequence, services.settings.history_page)
    shown: dict[str, Any] = {"target": target, "edit_form": edit_form, f"{part}_problem": msg}
    return room_page(access, MessageForm(formdata=None), page, status=status, **shown)


@blueprint.post("/chatroom/<slug>/<int:sequence>/edit")
@form_page(partial(_message_page, "edit"), EditForm)
def edit(form: EditForm, slug: str, sequence: int) -> Page:
    """Change the text of your own message."""
    access, target = _find(slug, sequence)
    change = services.messages.changes.editing(access, target.id, form.text.data, seen=form.seen)
    edited = services.messages.posting.change(access, change, client_address())
    return _redirect_to(access, target, **sent_query(access, edited))


@blueprint.post("/chatroom/<slug>/<int:sequence>/delete")
@form_page(partial(_message_page, "delete"))
def delete(slug: str, sequence: int) -> Page:
    """Delete a message."""
    access, target = _find(slug, sequence)
    return _change(access, target, services.messages.changes.deleting(access, target.id))


@blueprint.post("/chatroom/<slug>/<int:sequence>/react")
@form_page(partial(_message_page, "react"), ReactForm)
def react(form: ReactForm, slug: str, sequence: int) -> Page:
    """Add or remove a reaction."""
    access, target = _find(slug, sequence)
    return _change(access, target, services.messages.changes.reacting(access, target.id, form.chosen, on=form.is_on))


@blueprint.post("/chatroom/<slug>/<int:sequence>/pin")
@form_page(partial(_message_page, "pin"), PinForm)
def pin(form: PinForm, slug: str, sequence: int) -> Page:
    """Pin a message to the top of its room, or unpin it."""
    access, target = _find(slug, sequence)
    change = services.messages.changes.pinning(access, target.id, on=form.on.data != "false")
    return _change(access, target, change)


@blueprint.post("/chatroom/<slug>/<int:sequence>/unread")
@form_page(partial(_message_page, "unread"))
def unread(slug: str, sequence: int) -> Page:
    """Mark a message and all later ones as unread."""
    access, target = _find(slug, sequence)
    services.rooms.read_positions.mark_unread(access, target.sequence)
    said = "Unread from this message on, until you open the room again."
    return redirect_to("permalinks.message", said, slug=access.room.slug, sequence=target.sequence)


def _find(slug: str, sequence: int) -> tuple[Access, Message]:
    access = get_access(slug)
    return access, services.messages.history.at(access.room, min(sequence, LARGEST_SEQUENCE))


def _change(access: Access, target: Message, change: Change) -> Page:
    services.messages.posting.change(access, change, client_address())
    return _redirect_to(access, target)


def _redirect_to(access: Access, target: Message, **query: int) -> Page:
    return redirect_to("permalinks.message", "", slug=access.room.slug, sequence=target.sequence, **query)


def _edit_form(target: Message) -> EditForm:
    return EditForm(formdata=None, data={"text": target.text, "revision": str(target.revision)})
