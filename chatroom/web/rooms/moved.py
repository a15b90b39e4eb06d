"""Redirect members from former addresses of direct conversations; other users get a 404."""

from flask import Flask, redirect, request, url_for

from chatroom.names import is_former_direct
from chatroom.web.kit.login import current_user
from chatroom.web.kit.pages import Page
from chatroom.web.kit.services import services


def register(app: Flask) -> None:
    """Redirect before a page is made. Forms and the API accept both addresses."""
    app.before_request(_redirect)


def _redirect() -> Page | None:
    given = request.view_args or {}
    slug = given.get("slug", "")
    if request.method not in {"GET", "HEAD"} or not is_former_direct(slug) or request.path.startswith("/api/"):
        return None
    services.prepare()
    access = services.rooms.access.find_for(current_user.id, slug) if current_user.is_authenticated else None
    if access is None or access.room.slug == slug:
        return None
    address = url_for(request.endpoint or "", **{**given, "slug": access.room.slug})
    query = request.query_string.decode(errors="replace")
    return redirect(f"{address}?{query}" if query else address, 308)
