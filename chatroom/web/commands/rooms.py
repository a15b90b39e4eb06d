"""Rooms: written out, cleared, indexed anew."""

import sys
from typing import get_args

import click
from flask import current_app

from chatroom.audit import CONSOLE
from chatroom.export import parse_days
from chatroom.logs import escaped
from chatroom.services import Services
from chatroom.web.commands.console import command, get_room, show_progress
from chatroom.web.export import Format, in_chunks, write


@command("export")
@click.argument("slug", metavar="ROOM")
@click.option("--format", "name", type=click.Choice(get_args(Format)), default="text", show_default=True)
@click.option("--from", "since", default="", metavar="DAY", help="From this day on, as 2026-01-31, in UTC.")
@click.option("--to", "until", default="", metavar="DAY", help="Up to this day, this one included.")
@click.option("--address", default="http://localhost", show_default=True, help="The site's own, for links to files.")
def export_room(services: Services, slug: str, *, name: Format, since: str, until: str, address: str) -> None:
    """Write the messages of a room to standard output.

    ROOM is its name in addresses.
    """
    days = parse_days(since, until)
    room = get_room(services, slug)
    with current_app.test_request_context(base_url=address):
        for chunk in in_chunks(write(room, name, services.exports.read(room, days))):
            sys.stdout.buffer.write(chunk)


@command("clear-history")
@click.argument("slug", metavar="ROOM")
@click.option("--reason", default="", help="Why, for the audit log.")
@click.option("--yes", is_flag=True, help="Do not ask for the room's title.")
def clear_history(services: Services, slug: str, reason: str, yes: bool) -> None:
    """Erase all that was said in a room, for good.

    ROOM is its name in addresses. Export it first.
    """
    room = get_room(services, slug)
    if not yes and click.prompt(f"Type the room's title, {escaped(room.title)}, to confirm").strip() != room.title:
        raise click.ClickException("This is not the room's title; nothing was cleared.")
    services.clearing.begin(room, CONSOLE, reason)
    services.clearing.finish(show_progress())
    click.echo(f"The history of {escaped(room.title)} is cleared.")


@command("reindex")
def reindex(services: Services) -> None:
    """Make the search index of every room anew.

    The site may run; searches find less until it is done.
    """
    services.search.indexer.rebuild(show_progress())
    click.echo("Every room is indexed.")
