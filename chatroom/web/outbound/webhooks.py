"""The webhooks of a room: the page to create and remove webhooks, and the route to which programs post."""

from flask import Blueprint, Response, request, url_for
from wtforms import HiddenField, StringField

from chatroom.messages.outcomes import StoredAnswer, answer_of
from chatroom.names import MAX_HOOK_NAME
from chatroom.outbound.formats.bodies import Said, read_form, read_json, read_plain
from chatroom.outbound.webhooks import LONGEST_TRIGGER, LONGEST_URL
from chatroom.web.kit.forms import Form
from chatroom.web.kit.lanes import scarce
from chatroom.web.kit.login import client_address, current_user, get_access, login_required
from chatroom.web.kit.pages import Page, Shown, form_page, redirect_to, render
from chatroom.web.kit.security import exempt_from_csrf
from chatroom.web.kit.services import services

FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}

blueprint = Blueprint("webhooks", __name__)


class HookForm(Form):
    """A new incoming or outgoing webhook."""

    kind = HiddenField()
    name = StringField("Name", render_kw={"required": True, "maxlength": MAX_HOOK_NAME, "autocomplete": "off"})
    url = StringField(
        "Address", render_kw={"maxlength": LONGEST_URL, "autocomplete": "off", "inputmode": "url", "type": "url"}
    )
    trigger = StringField(
        "Only messages that start with", render_kw={"maxlength": LONGEST_TRIGGER, "autocomplete": "off"}
    )


@blueprint.get("/chatroom/<slug>/webhooks")
@login_required
def webhooks(slug: str, form: HookForm | None = None, **shown: Shown) -> Response:
    """The webhooks of a room, the forms for new webhooks, and the secret of a new webhook (`made`)."""
    access = get_access(slug)
    return render(
        "outbound/webhooks.html",
        room=access.room,
        hooks=services.outbound.webhooks.list_for(access),
        form=form or HookForm(formdata=None),
        **shown,
    )


@blueprint.post("/chatroom/<slug>/webhooks")
@scarce("names")
@login_required
@form_page(webhooks, HookForm)
def create(form: HookForm, slug: str) -> Page:
    """Create a webhook, and show its secret once."""
    access, author, hooks = get_access(slug), current_user.author, services.outbound.webhooks
    name, url, trigger = (field.data or "" for field in (form.name, form.url, form.trigger))
    if form.kind.data == "outgoing":
        made = hooks.make_outgoing(access, author, name, url, trigger)
    else:
        made = url_for("webhooks.receive", secret=hooks.make_incoming(access, author, name), _external=True)
    return webhooks(slug, status=201, made=made, kind=form.kind.data or "incoming")


@blueprint.post("/chatroom/<slug>/webhooks/<hook_id>/remove")
@login_required
def remove(slug: str, hook_id: str) -> Page:
    """Remove a webhook."""
    services.outbound.webhooks.remove(get_access(slug), hook_id)
    return redirect_to("webhooks.webhooks", "The webhook was removed.", slug=slug)


@blueprint.post("/hooks/<secret>")
@exempt_from_csrf  # the secret in the address authenticates
def receive(secret: str) -> Response:
    """Post what a program sends. Programs for other chats take every answer except 200 and `ok` for a failure."""
    hook, room = services.outbound.incoming.find(secret)
    outcome = services.outbound.incoming.post(hook, room, _said(), client_address())
    told = answer_of(room.slug, outcome)
    headers = {"X-Message-Id": told.id}
    if isinstance(told, StoredAnswer):
        headers["X-Message-Sequence"] = str(told.sequence)
    return Response("ok", headers=headers, mimetype="text/plain")


def _said() -> Said:
    """Read the body of the request."""
    most, data = services.settings.max_message_length, request.get_data()
    if request.mimetype == "text/plain":
        return read_plain(data, most)
    is_form = request.mimetype in FORMS and data.lstrip()[:1] != b"{"  # curl sends JSON as a form, if it is not told
    return read_form(request.form.to_dict(), most) if is_form else read_json(data, most)
