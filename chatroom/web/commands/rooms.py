"""Room commands: list, archive, appoint an administrator, export, clear, rebuild the index."""

import sys
from typing import get_args

import click
from flask import current_app

from chatroom.base.logs import escaped
from chatroom.export.export import parse_days
from chatroom.moderation.figures_store import PAGE, SiteRoom
from chatroom.services import Services
from chatroom.site.audit import CONSOLE
from chatroom.web.commands.console import command, counted, get_room, get_user, show_progress
from chatroom.web.export.download import in_chunks
from chatroom.web.export.export import Format, write

_room = click.argument("slug", metavar="ROOM")
_reason = click.option("--reason", required=True, help="The reason, which the room's administrators can read.")


@command("list-rooms")
@click.argument("beginning", default="")
@click.option("--limit", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="Maximum number.")
def list_rooms(services: Services, beginning: str, limit: int) -> None:
    """Show the public and private rooms by title.

    If BEGINNING is given, show only the titles that begin with it. The list also has sizes and administrators.
    """
    place = ("", "")
    while limit > 0 and (found := services.moderation.site_room_store.list_like(beginning, place, min(limit, PAGE))):
        for each in found:
            click.echo(_line(each))
        place, limit = found[-1].place, limit - len(found)


@command("archive-room")
@_room
@_reason
def archive_room(services: Services, slug: str, reason: str) -> None:
    """Archive a room: nobody can post in it. ROOM is the room's name in addresses."""
    found = services.moderation.site_rooms.archive(slug, CONSOLE, is_archived=True, reason=reason)
    click.echo(f"{escaped(found.room.title)} was archived.")


@command("unarchive-room")
@_room
@_reason
def unarchive_room(services: Services, slug: str, reason: str) -> None:
    """Reopen an archived room. ROOM is the room's name in addresses."""
    found = services.moderation.site_rooms.archive(slug, CONSOLE, is_archived=False, reason=reason)
    click.echo(f"{escaped(found.room.title)} was reopened.")


@command("appoint")
@_room
@click.argument("name")
@_reason
def appoint(services: Services, slug: str, name: str, reason: str) -> None:
    """Appoint an administrator for a room that has none.

    ROOM is the room's name in addresses. NAME is the user name of a member of the room.
    """
    user = get_user(services, name)
    found = services.moderation.site_rooms.appoint(slug, CONSOLE, user, reason)
    click.echo(f"{user.username} is now an administrator of {escaped(found.room.title)}.")


@command("export")
@_room
@click.option("--format", "name", type=click.Choice(get_args(Format)), default="text", show_default=True)
@click.option("--from", "since", default="", metavar="DAY", help="The first day, such as 2026-01-31, in UTC.")
@click.option("--to", "until", default="", metavar="DAY", help="The last day (included).")
@click.option(
    "--address", default="http://localhost", show_default=True, help="The site's address, for links to files."
)
def export_room(services: Services, slug: str, *, name: Format, since: str, until: str, address: str) -> None:
    """Write the messages of a room to standard output. ROOM is the room's name in addresses."""
    days = parse_days(since, until)
    room = get_room(services, slug)
    with current_app.test_request_context(base_url=address):
        for chunk in in_chunks(write(room, name, services.export.exports.read(room, days))):
            sys.stdout.buffer.write(chunk)


@command("clear-history")
@_room
@click.option("--reason", default="", help="The reason, for the audit log.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def clear_history(services: Services, slug: str, reason: str, yes: bool) -> None:
    """Permanently erase all messages of a room. ROOM is the room's name in addresses. Export the room first."""
    room = get_room(services, slug)
    name = room.title or room.slug  # a direct conversation has no title
    if not yes and click.prompt(f"To confirm, type the room's name ({escaped(name)})").strip() != name:
        raise click.ClickException("This is not the room's name. Nothing was cleared.")
    services.erasure.clearing.begin(room, CONSOLE, reason)
    services.erasure.clearing.finish(show_progress())
    click.echo(f"The history of {escaped(name)} was cleared.")


@command("reindex")
def reindex(services: Services) -> None:
    """Rebuild the search index of every room.

    The command also works while the site runs. Until the command is done, searches do not find all messages.
    """
    services.search.indexer.rebuild(show_progress())
    click.echo("Every room was indexed.")


def _line(each: SiteRoom) -> str:
    room = each.room
    facts = [
        room.kind,
        counted(each.members, "member"),
        counted(each.messages, "message"),
        f"{each.file_bytes:,} bytes of files",
    ]
    if each.last_at:
        facts.append(f"last active {each.last_at:%Y-%m-%d}")
    if room.archived_at:
        facts.append("archived")
    by = ", ".join(person.name for person in each.managers)
    return f"{room.slug}  ({escaped(room.title)})  {', '.join(facts)}{', managed by ' + escaped(by) if by else ''}"
