"""Pictures of users over HTTP: chosen on the account page, shown by one style sheet.

With a style sheet, messages and lists need not know who has a picture, nor change when somebody gets one.
"""

import hashlib
from typing import BinaryIO, cast

from flask import Blueprint, Flask, Response, abort, flash, redirect, request, url_for

from chatroom.base.errors import Refused
from chatroom.web.kit.lanes import scarce
from chatroom.web.kit.login import client_address, current_user, login_required
from chatroom.web.kit.pages import Page, form_page
from chatroom.web.kit.services import services
from chatroom.web.people.accounts import account_page
from chatroom.web.people.forms import PictureForm

FOR_EVER = "private, max-age=31536000, immutable"
RULES = (
    '.avatar[data-person="{id}"]{{background-image:url("{url}")}}'
    '.avatar--large[data-person="{id}"]{{background-image:url("{url}?size=large")}}'
    '.avatar[data-person="{id}"]::before{{content:none}}\n'
)

blueprint = Blueprint("avatars", __name__)


def register(app: Flask) -> None:
    """Serve them, and let templates link the sheet."""
    app.register_blueprint(blueprint)
    app.jinja_env.globals["avatar_sheet"] = lambda: _version_of(_sheet())


@blueprint.get("/avatars/<user_id>/<version>")
@login_required
def picture(user_id: str, version: str) -> Response:
    """Somebody's picture, of 80 pixels, or of 256 with `?size=large`."""
    content = services.people.avatars.find(user_id, version, is_large=request.args.get("size") == "large")
    if content is None:
        abort(404)
    return Response(content, content_type="image/webp", headers={"Cache-Control": FOR_EVER})


@blueprint.get("/avatars/<version>.css")
@login_required
def sheet(version: str) -> Response:
    """The rules that show them; of an older version, as they are now."""
    content = _sheet()
    headers = {"Cache-Control": FOR_EVER if version == _version_of(content) else "no-store"}
    return Response(content, content_type="text/css; charset=utf-8", headers=headers)


@blueprint.post("/account/avatar")
@scarce("pictures")
@login_required
@form_page(account_page, PictureForm)
def change(form: PictureForm) -> Page:
    """Choose a picture of oneself, or remove it."""
    if form.remove.data:
        services.people.avatars.remove(current_user.id)
        flash("Your picture was removed.")
    else:
        _choose()
        flash("Your picture was changed. Others see it when they reload their page.")
    return redirect(url_for("accounts.account"), 303)


def _choose() -> None:
    part = request.files.get("picture")
    if part is None or not part.filename:
        raise Refused("empty", "Choose a picture first.")
    services.site.limits.uploading.check(current_user.id, client_address())
    services.people.avatars.set(current_user.id, cast("BinaryIO", part.stream))


def _sheet() -> str:
    return "".join(
        RULES.format(id=user_id, url=url_for("avatars.picture", user_id=user_id, version=version))
        for user_id, version in services.people.avatars.listed()
    )


def _version_of(content: str) -> str:
    """Empty for an empty sheet, which nobody need load."""
    return hashlib.sha256(content.encode()).hexdigest()[:16] if content else ""
