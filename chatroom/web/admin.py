"""The administration: pages of plain forms, for administrators of the site alone.

To everybody else they do not exist.
"""

from typing import Any

from flask import Blueprint, abort, render_template, request

from chatroom.web.errors import page_with_status
from chatroom.web.login import Page, current_user, lead_to_login
from chatroom.web.services import services

blueprint = Blueprint("admin", __name__, url_prefix="/admin")


@blueprint.before_request
def administrators_only() -> Page | None:
    """Lead visitors to the log-in, and answer 404 to those who may not administrate."""
    if not current_user.is_authenticated:
        return lead_to_login()
    if current_user.role != "administrator":
        abort(404)
    return None


@blueprint.get("/audit")
def audit() -> Page:
    """Who did what, the newest first."""
    name = request.args.get("about", "")[:64]
    about = services.accounts.users.find_by_username(name) if name else None
    act = request.args.get("act", "")[:40]
    page = services.audit.page(
        request.args.get("before", ""), act=act, subject=about.id if about else "nobody" if name else ""
    )
    return _page("audit", page=page, act=act, about=name)


def _page(name: str, status: int = 200, **context: Any) -> Page:
    return page_with_status(render_template(f"admin/{name}.html", section=name, **context), status)
