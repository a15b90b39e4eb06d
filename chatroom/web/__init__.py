"""The pages and the JSON API: everything that knows Flask.

A request is checked here, at the edge; what it does is said in the modules below.
"""

from flask import Flask

from chatroom.config import Settings
from chatroom.web import (
    avatars,
    configuration,
    errors,
    files,
    health,
    lanes,
    login,
    moved,
    reference,
    security,
    webhooks,
)
from chatroom.web.account_deletion import blueprint as account_deletion
from chatroom.web.accounts import blueprint as accounts
from chatroom.web.accounts import shown_registration
from chatroom.web.admin import blueprint as admin
from chatroom.web.admin_rooms import blueprint as admin_rooms
from chatroom.web.api import blueprint as api
from chatroom.web.approval import blueprint as approval
from chatroom.web.clearing import blueprint as clearing
from chatroom.web.commands import COMMANDS
from chatroom.web.excerpts import excerpt_of
from chatroom.web.export import blueprint as export
from chatroom.web.files import is_upload, most_upload_bytes
from chatroom.web.held import api as held_api
from chatroom.web.held import as_held
from chatroom.web.held import blueprint as held
from chatroom.web.lanes import credential_of, lane_of
from chatroom.web.marks import api as marks_api
from chatroom.web.message_list import message_list, names
from chatroom.web.messages_api import blueprint as messages_api
from chatroom.web.notifications import api as push
from chatroom.web.notifications import blueprint as notifications
from chatroom.web.pages import as_json, hue, static_url
from chatroom.web.pages import blueprint as pages
from chatroom.web.people import blueprint as people
from chatroom.web.permalinks import blueprint as permalinks
from chatroom.web.reports import blueprint as reports
from chatroom.web.resets import blueprint as resets
from chatroom.web.room_api import blueprint as room_api
from chatroom.web.rooms import blueprint as rooms
from chatroom.web.rooms_api import blueprint as rooms_api
from chatroom.web.search import api as search_api
from chatroom.web.search import blueprint as search
from chatroom.web.sidebar import badge
from chatroom.web.sockets import address_of, is_own_origin, sign_in
from chatroom.web.tokens import blueprint as tokens

__all__ = [
    "address_of",
    "credential_of",
    "is_own_origin",
    "is_upload",
    "lane_of",
    "most_upload_bytes",
    "register",
    "sign_in",
]


def register(app: Flask, settings: Settings) -> None:
    """Give the application its configuration, protections, pages and commands."""
    configuration.configure(app, settings)
    configuration.compress_static(app)
    security.protect(app, settings)
    lanes.register(app)
    login.register(app)
    errors.register(app)
    avatars.register(app)
    files.register(app)
    moved.register(app)
    blueprints = (
        account_deletion,
        accounts,
        admin,
        admin_rooms,
        api,
        approval,
        clearing,
        export,
        health.blueprint,
        held,
        held_api,
        marks_api,
        messages_api,
        notifications,
        pages,
        people,
        permalinks,
        push,
        reference.blueprint,
        reports,
        resets,
        rooms,
        rooms_api,
        room_api,
        search,
        search_api,
        tokens,
        webhooks.blueprint,
    )
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    for command in COMMANDS:
        app.cli.add_command(command)
    app.jinja_env.globals["settings"] = settings
    app.jinja_env.filters["as_json"] = as_json
    app.jinja_env.filters["as_held"] = as_held
    app.jinja_env.globals["registration"] = shown_registration
    app.jinja_env.filters["hue"] = hue
    app.jinja_env.globals["names"] = names
    app.jinja_env.globals["static_url"] = static_url
    app.jinja_env.filters["excerpt"] = excerpt_of
    app.jinja_env.filters["badge"] = badge
    app.jinja_env.globals["message_list"] = message_list(app)
