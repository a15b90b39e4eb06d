"""The pages to find, create and join rooms, and to start direct conversations.

The packages below decide what a person may do.
"""

from flask import Blueprint, Response, redirect, request, url_for

from chatroom.rooms.direct import MOST_PEOPLE
from chatroom.rooms.listings_store import PAGE
from chatroom.web.kit.login import current_user, login_required
from chatroom.web.kit.pages import Page, form_page, refusals_on, render
from chatroom.web.kit.services import services
from chatroom.web.rooms.forms import NewRoomForm

PLACE_LENGTH = 200

blueprint = Blueprint("rooms", __name__)


@blueprint.get("/rooms")
@login_required
def browse() -> Page:
    """The public rooms, by name."""
    place = (request.args.get("after", "")[:PLACE_LENGTH], request.args.get("id", "")[:PLACE_LENGTH])
    found = services.rooms.listings.list_public(current_user.id, place)
    return render(
        "rooms/rooms.html",
        rooms=found,
        next_place=found[-1].place if len(found) == PAGE else None,
        may_create=services.rooms.making.may_create(current_user.role),
    )


def _new_page(form: NewRoomForm | None = None, status: int = 200, msg: str = "") -> Response:
    return render("rooms/rooms_new.html", status, form=form or NewRoomForm(), msg=msg)


@blueprint.route("/rooms/new", methods=["GET", "POST"])
@login_required
@form_page(_new_page, NewRoomForm)
def new(form: NewRoomForm) -> Page:
    """Make a room."""
    room = services.rooms.making.create(
        current_user.author,
        current_user.role,
        title=form.title.data,
        topic=form.topic.data,
        is_private=form.kind.data == "private",
    )
    return redirect(url_for("pages.room", slug=room.slug), 303)


@blueprint.post("/rooms/<slug>/join")
@login_required
def join(slug: str) -> Page:
    """Come into a public room."""
    services.site.limits.coming.check(current_user.id)
    room = services.rooms.membership.join(current_user.author, slug)
    return redirect(url_for("pages.room", slug=room.slug), 303)


@blueprint.route("/join/<code>", methods=["GET", "POST"])
@login_required
def accept(code: str) -> Page:
    """Come into a room by a link."""
    if request.method != "POST":
        return render("rooms/rooms_join.html", room=services.rooms.links.get_room(code), code=code)
    services.site.limits.coming.check(current_user.id)
    room = services.rooms.links.accept(current_user.author, code)
    return redirect(url_for("pages.room", slug=room.slug), 303)


def _people_page(status: int = 200, msg: str = "") -> Response:
    asked = request.values.get("q", "")[:64]
    return render(
        "rooms/rooms_people.html",
        status,
        found=[user for user in services.people.directory.search(asked) if user.id != current_user.id],
        chosen=_chosen(),
        asked=asked,
        msg=msg,
        most=MOST_PEOPLE - 1,
    )


@blueprint.get("/people")
@login_required
def people() -> Page:
    """Find people."""
    return _people_page()


@blueprint.post("/people")
@login_required
@refusals_on(_people_page)
def open_direct() -> Page:
    """Talk to people alone."""
    room = services.rooms.direct.open(
        current_user.author,
        [person[:64] for person in _chosen()],
        check_new=lambda: services.site.limits.opening.check(current_user.id),
    )
    return redirect(url_for("pages.room", slug=room.slug), 303)


def _chosen() -> list[str]:
    return request.form.getlist("person")[:MOST_PEOPLE]
