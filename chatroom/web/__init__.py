"""The pages and the JSON API: everything that uses Flask.

This package checks requests. The packages in the layers below execute them.
"""

from flask import Flask

from chatroom.base.config import Settings
from chatroom.messages.markdown.plain import plain_text, without_room_links
from chatroom.web.commands import COMMANDS
from chatroom.web.export import export
from chatroom.web.files import files
from chatroom.web.kit import configuration, errors, health, lanes, login, metrics, reference, security, static_files
from chatroom.web.kit.filters import as_json, full_stop, hue, with_links
from chatroom.web.kit.services import services
from chatroom.web.kit.shown_settings import ShownSettings
from chatroom.web.kit.static_files import static_url
from chatroom.web.kit.times import day_text, times_of_reader, with_times
from chatroom.web.messages import held, message_api, messages_api, pages, permalinks, previews
from chatroom.web.messages.listing import excerpt_of, message_list, names
from chatroom.web.moderation import admin, approval, cases, reports
from chatroom.web.outbound import later, notifications, webhooks
from chatroom.web.people import account_deletion, accounts, avatars, cards, people, status, tokens
from chatroom.web.rooms import api, clearing, invitations, inviting, rooms, unread
from chatroom.web.rooms import settings as room_settings
from chatroom.web.rooms.rooms import badge
from chatroom.web.search import search

BLUEPRINTS = (
    account_deletion.blueprint,
    accounts.blueprint,
    admin.blueprint,
    admin.rooms_blueprint,
    api.listing,  # before `api`, because the first of two routes with one address answers OPTIONS
    api.blueprint,
    approval.blueprint,
    cases.api,
    clearing.blueprint,
    export.blueprint,
    health.blueprint,
    held.blueprint,
    held.api,
    invitations.blueprint,
    inviting.blueprint,
    later.blueprint,
    later.api,
    message_api.marks,
    message_api.blueprint,
    messages_api.blueprint,
    metrics.blueprint,
    notifications.blueprint,
    notifications.api,
    pages.blueprint,
    people.blueprint,
    permalinks.blueprint,
    previews.blueprint,
    reference.blueprint,
    reports.blueprint,
    room_settings.blueprint,
    rooms.blueprint,
    search.blueprint,
    search.api,
    status.api,
    status.blueprint,
    tokens.blueprint,
    unread.blueprint,
    webhooks.blueprint,
)


def register(app: Flask, settings: Settings) -> None:
    """Give the application its configuration, checks, pages, commands, and the functions that templates call."""
    configuration.configure(app, settings)
    static_files.serve(app)
    security.protect(app, settings)
    if settings.has_metrics:
        metrics.count_requests(app)
    for part in (lanes, login, errors, avatars, files):
        part.register(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    for command in COMMANDS:
        app.cli.add_command(command)
    app.jinja_env.filters.update(
        as_json=as_json, as_held=held.as_held, full_stop=full_stop, hue=hue, excerpt=excerpt_of, badge=badge
    )
    app.jinja_env.filters.update(day_text=day_text, with_links=with_links, with_times=with_times)
    app.jinja_env.filters["plain_text"] = plain_text
    app.jinja_env.filters["without_room_links"] = without_room_links
    cards.register(app)
    app.jinja_env.globals.update(
        settings=ShownSettings(settings),
        registration=lambda: services.moderation.admission.shown_registration(),  # noqa: PLW0108  services per request
        names=names,
        open_cases=cases.open_cases,
        static_url=static_url,
        times=times_of_reader,
        message_list=message_list(app),
    )
