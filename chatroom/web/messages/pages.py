"""The start page and the page of a room. Both also work without scripts, by forms and links."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import date
from functools import cache, partial
from typing import Any

import msgspec
from flask import Blueprint, Response, make_response, redirect, render_template_string, request, url_for

from chatroom.base.access import Access
from chatroom.base.errors import Refused
from chatroom.base.models import File, Held, Message, Room
from chatroom.messages.history import Page as MessagePage
from chatroom.messages.mentions import Unreached
from chatroom.messages.messages_store import Stored
from chatroom.messages.posting import Submission
from chatroom.messages.rules import wait_between, why_closed, why_muted
from chatroom.rooms.access import LOBBY
from chatroom.web.files.files import keep_sent, sent_files
from chatroom.web.kit.lanes import scarce
from chatroom.web.kit.login import client_address, current_user, get_access, login_required
from chatroom.web.kit.pages import Page, Shown, form_page, redirect_to, render
from chatroom.web.kit.services import services
from chatroom.web.kit.times import reports_zone, times_of_reader
from chatroom.web.messages.forms import MessageForm
from chatroom.web.messages.previews import preview_of
from chatroom.web.people.status import SUGGESTED, own_status_form
from chatroom.web.rooms.notifying import choices_for
from chatroom.web.rooms.rooms import partner_in, sections_for

LARGEST_SEQUENCE = 2**53
LAST_ROOM = "room"
"""The cookie with the slug of the room that this browser opened last."""
LOGGED_OUT_FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Logged out</title>{% include "kit/_styles.html" %}</head>
<body class="frame"><p class="notice notice--error">You are logged out. <a target="_top"
href="{{ url_for('accounts.login', next=url_for('pages.room', slug=slug)) }}">Log in again</a></p></body></html>
"""

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def index() -> Page:
    """Show the start page to visitors, and redirect logged-in users to the room that they opened last."""
    if not current_user.is_authenticated:
        return render("index.html")
    last = request.cookies.get(LAST_ROOM, "")
    access = services.rooms.access.find_for(current_user.id, last) if last else None
    return redirect_to("pages.room", slug=access.room.slug) if access else redirect_to("pages.chatroom")


def _shown_room(slug: str, form: MessageForm | None = None, **shown: Shown) -> Page:
    is_post = request.method == "POST"
    access = get_access(slug) if is_post else open_room(slug)
    if "date" in request.args and not is_post:
        return redirect(_address_of_day(access.room), 303)
    before, limit = request.args.get("before", type=int), services.settings.history_page
    if before is not None:
        page = services.messages.history.before(access.room, min(max(before, 1), LARGEST_SEQUENCE), limit)
    else:
        page = services.messages.history.newest(access.room, limit)
        if not is_post and not _reports_reading():
            _mark_read(access, page)
    return room_page(access, form or MessageForm(), page, is_history=before is not None, **shown)


@blueprint.route("/chatroom", endpoint="chatroom", defaults={"slug": LOBBY.slug}, methods=["GET", "POST"])
@blueprint.route("/chatroom/<slug>", methods=["GET", "POST"])
@scarce("pictures", only_with_files=True)
@login_required
@form_page(_shown_room, MessageForm)
def room(form: MessageForm, slug: str) -> Page:
    """Post or preview a message. On GET, show a room with its newest messages, or with older ones (`?before=`)."""
    access = get_access(slug)
    if form.is_preview:
        return _shown_room(slug, form, preview=preview_of(access, form.text.data), forgets_files=bool(sent_files()))
    outcome = _post(access, form)
    sent = outcome.message if isinstance(outcome, Stored) else None
    return redirect_to("pages.room", "", slug=access.room.slug, **sent_query(access, sent))


@blueprint.get("/chatroom/<slug>/messages")
def messages_frame(slug: str) -> Page:
    """The newest messages, for the frame next to the form."""
    if not current_user.is_authenticated:
        # A redirect would lead to the log-in page, which must not be shown in a frame.
        return make_response(render_template_string(LOGGED_OUT_FRAME, slug=slug), 401)
    access = get_access(slug)
    found = access.room
    services.live.presences.visit(found.id, current_user.person)
    page = services.messages.history.newest(found, services.settings.history_page)
    _mark_read(access, page)
    held = services.moderation.approval.list_of(access)
    quoted = services.messages.history.quoted(found, page.messages)
    shown: dict[str, Any] = {"page": page, "quoted": quoted, "moderates": access.may_moderate}
    return render("messages/messages.html", room=found, held=held, **shown)


def sent_query(access: Access, message: Message | None) -> dict[str, int]:
    """The query of the page after a post or edit. With it, the page shows the mentions that notified nobody."""
    has_some = message is not None and services.messages.posting.find_unreached(access, message.text)
    return {"sent": message.sequence} if message is not None and has_some else {}


def _unreached(access: Access) -> Sequence[Unreached]:
    """The mentions that notify nobody, in the user's own message that `sent_query` names."""
    sequence = request.args.get("sent", 0, type=int)
    found = services.messages.store.by_sequences(access.room.id, [sequence]) if 0 < sequence < LARGEST_SEQUENCE else []
    own = [message.text for message in found if message.author.id == access.user_id and message.kind == "message"]
    return services.messages.posting.find_unreached(access, own[0]) if own else ()


def open_room(slug: str) -> Access:
    """Open the room of a page. This makes the user a member of a public room."""
    user_id = current_user.id
    return services.rooms.access.visit(user_id, slug, lambda: services.site.limits.coming.check(user_id))


def _reports_reading() -> bool:
    """Whether the browser itself reports what is read: by its scripts, or by loading the frame without scripts.

    Text browsers do neither. Browsers send `Sec-Fetch-Dest` over TLS and to this machine, and the cookie after the
    first page with scripts.
    """
    return "Sec-Fetch-Dest" in request.headers or reports_zone()


def _mark_read(access: Access, page: MessagePage) -> None:
    """Mark the newest messages and changes as read, unless this is a prefetch of the browser."""
    newest = page.revision
    if newest > access.membership.read_sequence and "prefetch" not in request.headers.get("Sec-Purpose", ""):
        services.rooms.read_positions.mark(access, newest)


def _post(access: Access, form: MessageForm) -> Stored | Held:
    """Store or hold the message. If the same form is sent again with the same text, nothing new is stored."""
    parts = sent_files()
    keep = cache(partial(keep_sent, current_user.id, access.room, parts))  # stores the files at the first call only
    said = Submission(
        access=access,
        author=current_user.author,
        address=client_address(),
        text=form.text.data,
        client_id=form.given_client_id,
        reply_to=form.replied_to,
        upload=(lambda: [file.id for file in keep()]) if parts else None,
    )
    posting = services.messages.posting
    outcome = posting.find_known(said) or posting.post(said)  # `post` also finds a repetition
    return outcome if _is_of(outcome, said, keep) else posting.post(_as_another(said))


def _as_another(said: Submission) -> Submission:
    """Give a submission a new client id, because the user has sent the same form with another text."""
    other = hashlib.sha256(f"{said.client_id} {said.text}".encode()).hexdigest()[:32]
    return msgspec.structs.replace(said, client_id=other)


def _is_of(outcome: Stored | Held, said: Submission, keep: Callable[[], list[File]]) -> bool:
    """Whether the outcome is of this submission, and not of an earlier submission with the same client id."""
    if isinstance(outcome, Held):
        return outcome.text == said.text
    message = outcome.message
    if not outcome.is_repeated or message.edited_at or message.deleted_at:
        return True
    return message.text == said.text and _has_its_files(message, said, keep)


def _has_its_files(message: Message, said: Submission, keep: Callable[[], list[File]]) -> bool:
    if said.upload is None:
        return not message.files
    if not services.messages.posting.may_post(said.access):
        return True  # files are kept only for users who may post
    try:
        kept = keep()
    except Refused:
        return True  # the message is stored already; its files cannot be stored a second time
    return [(file.name, file.size) for file in message.files] == [(file.name, file.size) for file in kept]


def room_page(
    access: Access, form: MessageForm, page: MessagePage, *, is_history: bool = False, **shown: Shown
) -> Response:
    """Render the room with a page of its messages. If `is_history`, scripts do not add new messages."""
    form.renew()
    found, sections = access.room, sections_for(access.user_id)
    page_of_room = render(
        "chatroom.html",
        room=found,
        access=access,
        closed=why_closed(access),
        muted=why_muted(access),
        slow_seconds=wait_between(access, "person"),
        held=services.moderation.approval.list_of(access),
        waiting=services.moderation.approval.count_for(current_user.user) if access.may_moderate else 0,
        form=form,
        first_steps=services.moderation.first_steps.list_for(current_user.user),
        people=services.live.presences.here(found.id),
        status_form=own_status_form(formdata=None),
        suggested=SUGGESTED,
        bell=choices_for(access),
        pins=services.messages.store.pinned(found.id),
        sections=sections,
        partner=partner_in(sections, found),
        due_count=services.outbound.later.count_due(access.user_id),
        saved=services.outbound.saved.ids(access.user_id, found.id),
        page=page,
        quoted=services.messages.history.quoted(found, page.messages),
        is_history=is_history,
        unreached=_unreached(access),
        **shown,
    )
    if request.cookies.get(LAST_ROOM) != found.slug:
        page_of_room.set_cookie(LAST_ROOM, found.slug, secure=request.is_secure, httponly=True, samesite="Lax")
    return page_of_room


def _address_of_day(found: Room) -> str:
    """The address of the first message on the day `?date=` in the time zone of the reader."""
    try:
        day = date.fromisoformat(request.args["date"])
        message = services.messages.history.first_at(found, times_of_reader().start_of(day))
    except (ValueError, OverflowError) as error:
        raise Refused("invalid", "Write the date like 2026-11-21.") from error
    if message is None:
        return url_for("pages.room", slug=found.slug)
    return url_for("permalinks.message", slug=found.slug, sequence=message.sequence)
