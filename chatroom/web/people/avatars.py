"""Pictures of users over HTTP: users choose them on the account page, and one style sheet shows them.

Messages and lists contain no pictures. So their HTML stays the same when a user chooses a new picture.
"""

import hashlib
from typing import BinaryIO, cast

from flask import Flask, Response, abort, request, url_for

from chatroom.base.errors import Refused
from chatroom.web.kit.lanes import scarce
from chatroom.web.kit.login import client_address, current_user, page_blueprint
from chatroom.web.kit.pages import Page, form_page, redirect_to
from chatroom.web.kit.services import services
from chatroom.web.people.accounts import account
from chatroom.web.people.forms import PictureForm

FOR_EVER = "private, max-age=31536000, immutable"
RULES = (
    '.avatar[data-person="{id}"]{{background-image:url("{url}")}}'
    '.avatar--large[data-person="{id}"]{{background-image:url("{url}?size=large")}}'
    '.avatar[data-person="{id}"]::before{{content:none}}\n'
)

blueprint = page_blueprint("avatars")


def register(app: Flask) -> None:
    """Serve the pictures, and let templates link the style sheet."""
    app.register_blueprint(blueprint)
    app.jinja_env.globals["avatar_sheet"] = lambda: _version_of(_sheet())


@blueprint.get("/avatars/<user_id>/<version>")
def picture(user_id: str, version: str) -> Response:
    """A user's picture: 80 pixels wide, or 256 pixels with `?size=large`."""
    content = services.people.avatars.find(user_id, version, is_large=request.args.get("size") == "large")
    if content is None:
        abort(404)
    return Response(content, content_type="image/webp", headers={"Cache-Control": FOR_EVER})


@blueprint.get("/avatars/<version>.css")
def sheet(version: str) -> Response:
    """The current style sheet, also at the address of an older version."""
    content = _sheet()
    headers = {"Cache-Control": FOR_EVER if version == _version_of(content) else "no-store"}
    return Response(content, content_type="text/css; charset=utf-8", headers=headers)


@blueprint.post("/account/avatar")
@scarce("pictures")
@form_page(account, PictureForm)
def change(form: PictureForm) -> Page:
    """Set or remove the user's own picture."""
    if form.remove.data:
        services.people.avatars.remove(current_user.id)
        return redirect_to("accounts.account", "Your picture was removed.")
    part = request.files.get("picture")
    if part is None or not part.filename:
        raise Refused("empty", "Choose a picture first.")
    services.site.limits.uploading.check(current_user.id, client_address())
    services.people.avatars.set(current_user.id, cast("BinaryIO", part.stream))
    return redirect_to("accounts.account", "Your picture was changed. Others see it when they reload their page.")


def _sheet() -> str:
    return "".join(
        RULES.format(id=user_id, url=url_for("avatars.picture", user_id=user_id, version=version))
        for user_id, version in services.people.avatars.listed()
    )


def _version_of(content: str) -> str:
    """The version of a style sheet. An empty style sheet has no version, and pages do not load it."""
    return hashlib.sha256(content.encode()).hexdigest()[:16] if content else ""
