"""A room's webhooks: the page where its administrators make and remove them, and the address that posts."""

from typing import Any

import msgspec
from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from wtforms import HiddenField, StringField

from chatroom.base.access import Access
from chatroom.base.errors import Refused, Unavailable
from chatroom.live.protocol import ClientId
from chatroom.names import MAX_HOOK_NAME
from chatroom.outbound.webhooks import LONGEST_TRIGGER, LONGEST_URL
from chatroom.web.kit import login as signing
from chatroom.web.kit.errors import retry_after_of, status_of, with_retry_after
from chatroom.web.kit.forms import Form
from chatroom.web.kit.lanes import scarce
from chatroom.web.kit.login import Page, current_user, login_required
from chatroom.web.kit.security import form_checks_token
from chatroom.web.kit.services import services
from chatroom.web.messages.messages_api import answer_post

blueprint = Blueprint("webhooks", __name__)


class Said(msgspec.Struct):
    """What a program posts; what others' programs send beside it is ignored."""

    text: str
    client_id: ClientId | None = None


class HookForm(Form):
    """A new webhook, of either kind."""

    kind = HiddenField()
    name = StringField("Name", render_kw={"required": True, "maxlength": MAX_HOOK_NAME, "autocomplete": "off"})
    url = StringField(
        "Address", render_kw={"maxlength": LONGEST_URL, "autocomplete": "off", "inputmode": "url", "type": "url"}
    )
    trigger = StringField(
        "Only messages that begin with", render_kw={"maxlength": LONGEST_TRIGGER, "autocomplete": "off"}
    )


@blueprint.get("/chatroom/<slug>/webhooks")
@login_required
def webhooks(slug: str) -> Page:
    """The webhooks of a room, and the forms for new ones."""
    return _page(services.rooms.rooms.get_for(current_user.id, slug), HookForm())


@blueprint.post("/chatroom/<slug>/webhooks")
@scarce("names")
@form_checks_token
@login_required
def create(slug: str) -> Page:
    """Make a webhook, and show its secret: the only time that anybody sees it."""
    access = services.rooms.rooms.get_for(current_user.id, slug)
    form = HookForm()
    if not form.validate():
        return _page(access, form, 400, form.problem)
    name, author = form.name.data or "", current_user.author
    try:
        if form.kind.data == "outgoing":
            made = services.outbound.webhooks.make_outgoing(
                access, author, name, form.url.data or "", form.trigger.data or ""
            )
        else:
            secret = services.outbound.webhooks.make_incoming(access, author, name)
            made = url_for("webhooks.receive", secret=secret, _external=True)
    except (Refused, Unavailable) as error:
        return with_retry_after(_page(access, form, status_of(error), str(error)), retry_after_of(error))
    return _page(access, HookForm(formdata=None), 201, made=made, kind=form.kind.data or "incoming")


@blueprint.post("/chatroom/<slug>/webhooks/<hook_id>/remove")
@login_required
def remove(slug: str, hook_id: str) -> Page:
    """Remove a webhook."""
    services.outbound.webhooks.remove(services.rooms.rooms.get_for(current_user.id, slug), hook_id)
    flash("The webhook was removed.", "success")
    return redirect(url_for("webhooks.webhooks", slug=slug), 303)


@blueprint.post("/hooks/<secret>")
@form_checks_token  # there is none: the secret in the address is what lets it in
def receive(secret: str) -> Response:
    """Post what a program sends: JSON as Slack's webhooks take it, a form, or plain text."""
    hook, room = services.outbound.webhooks.find(secret)
    said = _said()
    return answer_post(room, services.outbound.webhooks.post(hook, room, said.text, said.client_id, signing.address()))


def _said() -> Said:
    """The text of a request, in whichever of the three ways it came."""
    try:
        if request.mimetype == "text/plain":
            return Said(request.get_data().decode())
        if request.mimetype in {"application/x-www-form-urlencoded", "multipart/form-data"}:
            form = request.form.to_dict()
            # Slack's older clients send the JSON as a field of a form.
            return msgspec.json.decode(form["payload"], type=Said) if "payload" in form else msgspec.convert(form, Said)
        return msgspec.json.decode(request.get_data(), type=Said)
    except (msgspec.MsgspecError, RecursionError, UnicodeError, ValueError) as error:
        raise Refused("invalid", 'Send a JSON object such as {"text": "Hello"}, a form, or plain text.') from error


def _page(
    access: Access, form: HookForm, status: int = 200, msg: str = "", *, made: str = "", kind: str = ""
) -> Response:
    hooks: list[Any] = services.outbound.webhooks.list_for(access)
    response = make_response(
        render_template(
            "outbound/webhooks.html", room=access.room, hooks=hooks, form=form, msg=msg, made=made, kind=kind
        )
    )
    response.status_code = status
    return response
