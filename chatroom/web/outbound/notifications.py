"""The notification settings, and the manifest and the service worker of the web app.

A service worker controls only addresses below its own address. So its address is at the root.
"""

from datetime import UTC, datetime
from typing import Annotated, cast

import msgspec
from flask import Blueprint, Response, current_app, flash, jsonify, request, url_for
from msgspec import Meta
from wtforms import BooleanField, SelectChoice, SelectField

from chatroom.base.models import Notify, RoomEntry
from chatroom.people.statuses import quiet_until
from chatroom.rooms.listings_store import PAGE
from chatroom.web.kit.api import answer, api_blueprint, asker, body_as
from chatroom.web.kit.forms import Form
from chatroom.web.kit.lanes import scarce
from chatroom.web.kit.login import current_user, get_access, login_required
from chatroom.web.kit.openapi import operation
from chatroom.web.kit.pages import Page, redirect_to, render
from chatroom.web.kit.services import services
from chatroom.web.kit.static_files import static_url
from chatroom.web.kit.times import times_of_reader
from chatroom.web.rooms.notifying import CHOICES, PREFERENCES, choose, preferences_for

PLACE_LENGTH = 64
KEPT = "kept"
"""The choice that leaves a pause as it is."""
BY_COOKIE = (401, 403)
"""The statuses of refusals on routes that require a cookie. These routes refuse access tokens."""

blueprint = Blueprint("notifications", __name__)
api = api_blueprint("push")


class PreferenceForm(Form):
    """The notification setting of a room, from the settings or from the bell of the room."""

    notify = SelectField("Notify me about", choices=[SelectChoice(*choice) for choice in CHOICES.items()])
    is_bell = BooleanField()


class Keys(msgspec.Struct, forbid_unknown_fields=True):
    """The keys of a browser, as in `PushSubscription.toJSON`."""

    p256dh: Annotated[str, Meta(max_length=200)]
    auth: Annotated[str, Meta(max_length=100)]


class Subscribing(msgspec.Struct):
    """A browser to notify, in the form of `PushSubscription.toJSON`."""

    endpoint: Annotated[str, Meta(max_length=2000)]
    keys: Keys


class Unsubscribing(msgspec.Struct):
    """A browser to unsubscribe."""

    endpoint: Annotated[str, Meta(max_length=2000)]


class PushKey(msgspec.Struct):
    """The site's public key, in URL-safe base64; a browser needs it to subscribe."""

    key: str


@blueprint.get("/account/notifications")
@login_required
def settings() -> Page:
    """The notification settings, for this browser and for each room, 50 rooms on a page. `?after=` is a room's id."""
    entries = _entries()
    ids, after = [entry.room.id for entry in entries], _after()
    start = ids.index(after) + 1 if after in ids else 0
    shown = entries[start : start + PAGE]
    return render(
        "outbound/notifications.html",
        forms=[(entry, _form(entry)) for entry in shown],
        every=PREFERENCES,
        is_undisturbed=quiet_until(current_user.user.quiet, datetime.now(UTC)) is not None,
        after=after if start else None,
        next_place=shown[-1].room.id if start + PAGE < len(entries) else None,
    )


@blueprint.post("/account/notifications")
@login_required
def save() -> Page:
    """Change the settings of the rooms on the page whose choice is another than before, or of every room.

    Also change what a room that the user joins later begins with. A pause stays, unless another choice or the button
    "End the pause" ends it.
    """
    ended = request.form.get("end", "")
    every, new = request.form.get("every", ""), request.form.get("new_rooms", "")
    if new in PREFERENCES and new != current_user.user.new_rooms_notify:
        services.rooms.preferences.choose_for_new_rooms(current_user.id, cast("Notify", new))
    for entry in _entries():
        choice = every or request.form.get(f"notify-{entry.room.id}", "")
        is_paused = entry.membership.paused_until is not None
        if entry.room.id == ended and is_paused:
            choice = entry.membership.chosen
        offered = preferences_for(entry.room.kind)
        if every in PREFERENCES and choice not in offered:
            choice = "mentions"  # of a direct conversation, these are all messages
        if choice in offered and (is_paused or choice != _chosen(entry)):
            choose(get_access(entry.room.slug), choice)
    said = "The pause has ended." if ended else "The notifications were saved."
    return redirect_to("notifications.settings", said, after=_after() or None)


@blueprint.post("/chatroom/<slug>/notify")
@login_required
def set_preference(slug: str) -> Page:
    """Change the notification setting of a room."""
    access, form = get_access(slug), PreferenceForm()
    if not form.validate():
        flash(form.problem, "error")
        return redirect_to("notifications.settings")
    said = choose(access, form.notify.data)
    if form.is_bell.data:
        return redirect_to("pages.room", said, slug=access.room.slug)
    return redirect_to("notifications.settings", f"{access.room.title}: saved.")


@blueprint.get("/manifest.webmanifest")
def manifest() -> Response:
    """The web app manifest. A phone needs it to install the site as an app."""
    icons = [
        {"src": static_url(f"icons/{name}.png"), "sizes": f"{size}x{size}", "type": "image/png"} | more
        for name, size, more in (
            ("icon-192", 192, {}),
            ("icon-512", 512, {}),
            ("maskable-512", 512, {"purpose": "maskable"}),
        )
    ]
    response = jsonify(
        id="/",
        name=services.moderation.naming.name,
        short_name=services.moderation.naming.name[:12],
        start_url=url_for("pages.chatroom"),
        scope="/",
        display="standalone",
        background_color="#f7f4ee",
        theme_color="#1f6b5a",
        icons=icons,
    )
    response.content_type = "application/manifest+json"
    return response


@blueprint.get("/service-worker.js")
def service_worker() -> Response:
    """The script that shows notifications. While the browser is offline, the script shows saved pages."""
    return current_app.send_static_file("pages/service_worker.js")


@api.get("/push/key")
@operation(None, {200: PushKey}, refusals=BY_COOKIE)
def get_push_key() -> Response:
    """The public key of this site, which a browser needs to subscribe."""
    return answer(PushKey(services.outbound.push.public_key))


@api.post("/push/subscriptions")
@scarce("names")
@operation(None, {201: PushKey}, body=Subscribing, refusals=BY_COOKIE)
def subscribe_browser() -> Response:
    """Subscribe this browser until its session ends."""
    person, asked = asker(), body_as(Subscribing)
    services.outbound.push.subscribe(person.id, person.session.id, asked.endpoint, asked.keys.p256dh, asked.keys.auth)
    return answer(PushKey(services.outbound.push.public_key), 201)


@api.post("/push/subscriptions/end")
@operation(None, {200: PushKey}, body=Unsubscribing, refusals=BY_COOKIE)
def unsubscribe_browser() -> Response:
    """Unsubscribe this browser."""
    services.outbound.push.unsubscribe(asker().id, body_as(Unsubscribing).endpoint)
    return answer(PushKey(services.outbound.push.public_key))


def _form(entry: RoomEntry) -> PreferenceForm:
    until = entry.membership.paused_until
    form = PreferenceForm(formdata=None, notify=KEPT if until else _chosen(entry))
    form.notify.choices = [SelectChoice(*choice) for choice in preferences_for(entry.room.kind).items()]
    if until:
        form.notify.choices.insert(
            0, SelectChoice(KEPT, f"Nothing until {times_of_reader().soon(until, datetime.now(UTC))}")
        )
    form.notify.id = form.notify.name = f"notify-{entry.room.id}"
    return form


def _after() -> str:
    return request.args.get("after", "")[:PLACE_LENGTH]


def _entries() -> list[RoomEntry]:
    return [entry for entry in services.rooms.listings.list_for(current_user.id) if entry.is_begun]


def _chosen(entry: RoomEntry) -> str:
    chosen = entry.membership.chosen
    return "mentions" if entry.room.kind == "direct" and chosen == "all" else chosen
