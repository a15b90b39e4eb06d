"""A room's webhooks: the page where its administrators create and remove them, and the address that posts."""

import msgspec
from flask import Blueprint, Response, flash, redirect, request, url_for

from chatroom.base.errors import Refused
from chatroom.live.protocol import ClientId
from chatroom.web.kit.lanes import scarce
from chatroom.web.kit.login import client_address, current_user, login_required
from chatroom.web.kit.pages import Page, form_page, render
from chatroom.web.kit.security import exempt_from_csrf
from chatroom.web.kit.services import services
from chatroom.web.messages.messages_api import answer_post
from chatroom.web.outbound.forms import HookForm

blueprint = Blueprint("webhooks", __name__)


class Said(msgspec.Struct):
    """What a program posts; what others' programs send beside it is ignored."""

    text: str
    client_id: ClientId | None = None


def _webhooks_page(
    slug: str, form: HookForm | None = None, status: int = 200, msg: str = "", *, made: str = "", kind: str = ""
) -> Response:
    access = services.rooms.access.get_for(current_user.id, slug)
    return render(
        "outbound/webhooks.html",
        status,
        room=access.room,
        hooks=services.outbound.webhooks.list_for(access),
        form=form or HookForm(formdata=None),
        msg=msg,
        made=made,
        kind=kind,
    )


@blueprint.get("/chatroom/<slug>/webhooks")
@login_required
def webhooks(slug: str) -> Page:
    """The webhooks of a room, and the forms for new ones."""
    return _webhooks_page(slug)


@blueprint.post("/chatroom/<slug>/webhooks")
@scarce("names")
@login_required
@form_page(_webhooks_page, HookForm)
def create(form: HookForm, slug: str) -> Page:
    """Make a webhook, and show its secret: the only time that anybody sees it."""
    access = services.rooms.access.get_for(current_user.id, slug)
    name, author = form.name.data or "", current_user.author
    if form.kind.data == "outgoing":
        made = services.outbound.webhooks.make_outgoing(
            access, author, name, form.url.data or "", form.trigger.data or ""
        )
    else:
        secret = services.outbound.webhooks.make_incoming(access, author, name)
        made = url_for("webhooks.receive", secret=secret, _external=True)
    return _webhooks_page(slug, status=201, made=made, kind=form.kind.data or "incoming")


@blueprint.post("/chatroom/<slug>/webhooks/<hook_id>/remove")
@login_required
def remove(slug: str, hook_id: str) -> Page:
    """Remove a webhook."""
    services.outbound.webhooks.remove(services.rooms.access.get_for(current_user.id, slug), hook_id)
    flash("The webhook was removed.", "success")
    return redirect(url_for("webhooks.webhooks", slug=slug), 303)


@blueprint.post("/hooks/<secret>")
@exempt_from_csrf  # there is none: the secret in the address is what lets it in
def receive(secret: str) -> Response:
    """Post what a program sends: JSON as Slack's webhooks take it, a form, or plain text."""
    hook, room = services.outbound.incoming.find(secret)
    said = _said()
    return answer_post(room, services.outbound.incoming.post(hook, room, said.text, said.client_id, client_address()))


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
