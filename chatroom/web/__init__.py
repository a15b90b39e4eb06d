"""The pages and the JSON API: everything that uses Flask.

Requests are checked here, at the edge; the modules below do the work.
"""

from flask import Flask

from chatroom.base.config import Settings
from chatroom.web.commands import COMMANDS
from chatroom.web.export.export import blueprint as export
from chatroom.web.files import files
from chatroom.web.kit import configuration, errors, health, lanes, login, reference, security
from chatroom.web.kit.filters import as_json, hue, static_url
from chatroom.web.kit.sockets import address_of, is_own_origin, sign_in
from chatroom.web.messages.held import api as held_api
from chatroom.web.messages.held import as_held
from chatroom.web.messages.held import blueprint as held
from chatroom.web.messages.listing import excerpt_of, message_list, names
from chatroom.web.messages.message_api import blueprint as messages_api
from chatroom.web.messages.message_api import marks as marks_api
from chatroom.web.messages.messages_api import blueprint as api
from chatroom.web.messages.pages import blueprint as pages
from chatroom.web.messages.permalinks import blueprint as permalinks
from chatroom.web.moderation.admin import blueprint as admin
from chatroom.web.moderation.admin_rooms import blueprint as admin_rooms
from chatroom.web.moderation.approval import blueprint as approval
from chatroom.web.moderation.reports import blueprint as reports
from chatroom.web.outbound import webhooks
from chatroom.web.outbound.notifications import api as push
from chatroom.web.outbound.notifications import blueprint as notifications
from chatroom.web.people import avatars
from chatroom.web.people.account_deletion import blueprint as account_deletion
from chatroom.web.people.accounts import blueprint as accounts
from chatroom.web.people.accounts import shown_registration
from chatroom.web.people.people import blueprint as people
from chatroom.web.people.resets import blueprint as resets
from chatroom.web.people.tokens import blueprint as tokens
from chatroom.web.rooms import moved
from chatroom.web.rooms.api import blueprint as room_api
from chatroom.web.rooms.api import listing as rooms_api
from chatroom.web.rooms.clearing import blueprint as clearing
from chatroom.web.rooms.rooms import blueprint as rooms
from chatroom.web.rooms.settings import blueprint as room_settings
from chatroom.web.rooms.sidebar import badge
from chatroom.web.search.search import api as search_api
from chatroom.web.search.search import blueprint as search

__all__ = [
    "address_of",
    "is_own_origin",
    "register",
    "sign_in",
]


BLUEPRINTS = (
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
    rooms_api,  # before the next: of two operations of one address, the first answers OPTIONS
    room_api,
    room_settings,
    rooms,
    search,
    search_api,
    tokens,
    webhooks.blueprint,
)


def register(app: Flask, settings: Settings) -> None:
    """Give the application its configuration, protections, pages and commands."""
    configuration.configure(app, settings)
    configuration.compress_static(app)
    security.protect(app, settings)
    for part in (lanes, login, errors, avatars, files, moved):
        part.register(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    for command in COMMANDS:
        app.cli.add_command(command)
    _register_for_templates(app, settings)


def _register_for_templates(app: Flask, settings: Settings) -> None:
    """Give the templates what they call."""
    app.jinja_env.filters.update(as_json=as_json, as_held=as_held, hue=hue, excerpt=excerpt_of, badge=badge)
    app.jinja_env.globals.update(
        settings=settings,
        registration=shown_registration,
        names=names,
        static_url=static_url,
        message_list=message_list(app),
    )
