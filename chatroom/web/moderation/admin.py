"""The administration pages, for administrators of the site. Other users get a 404.

The pages never show messages. A room's title links to the room only if the administrator may enter the room.
"""

import platform
from datetime import UTC, datetime
from typing import get_args

from flask import Blueprint, Response, abort, request
from markupsafe import Markup

from chatroom import __version__
from chatroom.moderation.admission import MOST_DAYS, MOST_USES
from chatroom.moderation.figures_store import MOST_COUNTED, PAGE
from chatroom.moderation.naming import LONGEST_ABOUT
from chatroom.moderation.naming import LONGEST_NAME as LONGEST_SITE_NAME
from chatroom.moderation.newcomers import MOST as MOST_HELD
from chatroom.moderation.newcomers import SUGGESTED
from chatroom.moderation.sentences import sentence_of
from chatroom.names import MAX_TOPIC
from chatroom.site.audit import LONGEST_REASON, ActName
from chatroom.site.audit_store import Act
from chatroom.web.kit.login import current_user, find_called, get_called, redirect_to_login
from chatroom.web.kit.pages import Page, Shown, redirect_to, refusals_on, render
from chatroom.web.kit.services import services
from chatroom.web.kit.times import with_times

PEOPLE = 50
LONGEST_NAME = 64
LONGEST_PLACE = 200

blueprint = Blueprint("admin", __name__, url_prefix="/admin")
rooms_blueprint = Blueprint("admin_rooms", __name__, url_prefix="/admin/rooms")


@blueprint.before_request
@rooms_blueprint.before_request
def administrators_only() -> Page | None:
    """Redirect visitors to the log-in page, and answer 404 to people who are not administrators."""
    if not current_user.is_authenticated:
        return redirect_to_login()
    if current_user.role != "administrator":
        abort(404)
    return None


@blueprint.get("")
def overview(**shown: Shown) -> Response:
    """The site in numbers."""
    versions = {"Chatroom": __version__, "Python": platform.python_version()}
    naming = services.moderation.naming
    kept = {"name": naming.chosen, "about": naming.about}
    return _page(
        "overview",
        overview=services.moderation.overview(),
        versions=versions,
        typed={field: _typed(field, value) for field, value in kept.items()},
        usual_name=naming.default,
        longest={"name": LONGEST_SITE_NAME, "about": LONGEST_ABOUT},
        **shown,
    )


@blueprint.post("/name")
@refusals_on(overview)
def set_name() -> Page:
    """Name the site."""
    services.moderation.naming.set(current_user.user, _typed("name"), _typed("about"))
    return redirect_to("admin.overview", "Saved.")


@blueprint.post("/first-steps/hide")
def hide_first_steps() -> Page:
    """Show the first steps no more."""
    services.moderation.first_steps.hide(current_user.user)
    return redirect_to("pages.index")


@blueprint.get("/people")
def people() -> Page:
    """The users, by user name. `q` is the beginning of a user name or of a display name."""
    wanted = request.args.get("q", "")[:LONGEST_NAME].strip()
    directory = services.people.directory
    found = directory.list_like(wanted, request.args.get("after", "")[:LONGEST_NAME], PEOPLE + 1)
    shown = found[:PEOPLE]
    known = {user.id for user in shown}
    named = [user for user in directory.list_named_like(wanted, PEOPLE) if user.id not in known] if wanted else []
    return _page(
        "people",
        people=shown + named,
        now=datetime.now(UTC),
        q=wanted,
        after=shown[-1].username if len(found) > PEOPLE else "",
    )


@blueprint.get("/joining")
def joining(**shown: Shown) -> Response:
    """Registration and invites. `shown` may have the `code` of a new invite."""
    admission = services.moderation.admission
    return _page(
        "joining",
        chosen=admission.chosen,
        default=admission.default,
        invites=admission.list_invites(),
        most={"uses": MOST_USES, "days": MOST_DAYS},
        holding={"first": services.moderation.newcomers.first, "most": MOST_HELD, "suggested": SUGGESTED},
        **shown,
    )


@blueprint.post("/registration")
@refusals_on(joining)
def set_registration() -> Page:
    """Set who can register."""
    services.moderation.admission.set_registration(current_user.user, request.form.get("registration", ""))
    return redirect_to("admin.joining", "Saved.")


@blueprint.post("/holding")
@refusals_on(joining)
def set_holding() -> Page:
    """Set how many first messages of newcomers are held; 0 turns this off."""
    services.moderation.newcomers.set_first(current_user.user, request.form.get("first", -1, type=int))
    return redirect_to("admin.joining", "Saved.")


@blueprint.post("/invites")
@refusals_on(joining)
def make_invite() -> Page:
    """Create an invite, and show its code once."""
    uses, days = (request.form.get(name, 0, type=int) for name in ("uses", "days"))
    return joining(status=201, code=services.moderation.admission.make_invite(current_user.user, uses=uses, days=days))


@blueprint.post("/invites/<invite_id>/revoke")
def revoke_invite(invite_id: str) -> Page:
    """Revoke an invite."""
    services.moderation.admission.revoke_invite(current_user.user, invite_id)
    return redirect_to("admin.joining", "The invite was revoked.")


@blueprint.get("/audit")
def audit() -> Page:
    """The audit log, the newest entries first."""
    name = request.args.get("about", "")[:LONGEST_NAME]
    about = find_called(name) if name else None
    act = request.args.get("act", "")[:40]
    page = services.site.audit.page(
        request.args.get("before", ""), act=act, subject=about.id if about else "nobody" if name else ""
    )
    return _page("audit", page=page, act=act, acts=get_args(ActName), about=name)


@rooms_blueprint.app_template_filter("counted")
def counted(number: int) -> str:
    """Format a number with a thousands separator. A number of at least 100,000 gets a `+`."""
    return f"{number:,}{'+' if number >= MOST_COUNTED else ''}"


@rooms_blueprint.app_template_filter("in_words")
def in_words(act: Act, room_id: str = "") -> Markup:
    """An entry of the audit log as a sentence."""
    sentence = sentence_of(act, room_id)
    fields = {name: Markup("<bdi>{}</bdi>").format(with_times(text)) for name, text in sentence.fields.items()}
    return Markup(sentence.text).format(**fields)  # noqa: S704  the text is of the code; `format` escapes the fields


@rooms_blueprint.get("")
def rooms() -> Page:
    """All public and private rooms, or the rooms whose titles start with `q`. They are sorted by title."""
    wanted = request.args.get("q", "")[:LONGEST_NAME].strip()
    place = (request.args.get("after", "")[:LONGEST_PLACE], request.args.get("id", "")[:LONGEST_PLACE])
    found = services.moderation.site_room_store.list_like(wanted, place, PAGE + 1)
    return _page("rooms", rooms=found[:PAGE], q=wanted, next_place=found[PAGE - 1].place if len(found) > PAGE else None)


@rooms_blueprint.get("/<slug>")
def room(slug: str, **shown: Shown) -> Response:
    """The figures of a room, and the acts that an administrator can do."""
    found = services.moderation.site_rooms.get(slug)
    is_public = found.room.kind == "public"
    return _page(
        "room",
        section="rooms",
        found=found,
        room=found.room,
        may_enter=is_public or services.rooms.access.find_for(current_user.id, found.room.slug) is not None,
        entries=services.site.audit.page(room=found.room.id).entries,
        typed={"username": _typed_name(), "reason": request.form.get("reason", "")},
        most=LONGEST_REASON,
        **shown,
    )


@rooms_blueprint.post("/<slug>/archive")
@refusals_on(room)
def archive(slug: str) -> Page:
    """Archive or reopen a room."""
    is_archived = request.form.get("archived") == "yes"
    services.moderation.site_rooms.archive(slug, current_user.author, is_archived=is_archived, reason=_typed_reason())
    said = "The room was archived." if is_archived else "The room was reopened."
    return redirect_to("admin_rooms.room", said, slug=slug, undo=1 if is_archived else None)


@rooms_blueprint.post("/<slug>/appoint")
@refusals_on(room)
def appoint(slug: str) -> Page:
    """Appoint a member as administrator of a room that has none."""
    user = get_called(_typed_name())
    services.moderation.site_rooms.appoint(slug, current_user.author, user, _typed_reason())
    return redirect_to("admin_rooms.room", f"{user.display_name} manages this room now.", slug=slug)


def _page(name: str, status: int = 200, **context: object) -> Response:
    """Render a page of the administration. `name` is the template, and also the section if no `section` is given."""
    return render(f"moderation/admin/{name}.html", status, **{"section": name, **context})


def _typed(field: str, kept: str = "") -> str:
    return request.form.get(field, kept)[:MAX_TOPIC]


def _typed_name() -> str:
    return request.form.get("username", "")[:LONGEST_NAME]


def _typed_reason() -> str:
    return request.form.get("reason", "")[: LONGEST_REASON + 1]
