"""Held messages: turn holding on, list, approve, reject."""

import click

from chatroom.base.logs import escaped
from chatroom.moderation.newcomers import MOST
from chatroom.services import Services
from chatroom.web.commands.console import command


@command("set-holding")
@click.argument("first", type=click.IntRange(0, MOST))
def set_holding(services: Services, first: int) -> None:
    """Hold newcomers' first messages (0: turn it off).

    Also while the site runs: until a moderator approves them, nobody else sees them. What waits goes on waiting.
    """
    services.moderation.newcomers.set_first(None, first)
    click.echo(f"The first {first} messages of newcomers are held." if first else "Messages are no longer held.")


@command("list-held")
def list_held(services: Services) -> None:
    """Show the held messages.

    The one that has waited longest first, each with its id.
    """
    for row in services.moderation.held_list.list_all():
        held = row.held
        room = row.room.title if row.room is not None else "a deleted room"
        files = f" [{len(held.files)} files]" if held.files else ""
        text = f"{held.author.name} in {room}: {held.text}{files}"
        click.echo(f"{held.id}  {held.held_at:%Y-%m-%d %H:%M:%S}  {escaped(text)}")


@command("approve")
@click.argument("held", metavar="ID")
@click.option("--trust", is_flag=True, help="Also trust the author: hold none of their later messages.")
def approve(services: Services, held: str, trust: bool) -> None:
    """Approve a held message, which posts it.

    ID is its id as `list-held` shows it.
    """
    services.moderation.approval.approve(None, held, is_trusting=trust)
    click.echo("The message was posted.")


@command("reject")
@click.argument("held", metavar="ID")
@click.option("--reason", required=True, help="The reason. The author sees it, and the audit log keeps it.")
@click.option("--others", is_flag=True, help="Also reject the author's other held messages.")
def reject(services: Services, held: str, reason: str, others: bool) -> None:
    """Reject a held message.

    ID is its id as `list-held` shows it.
    """
    count = services.moderation.approval.reject(None, held, reason, with_others=others)
    click.echo("The message was rejected." if count == 1 else f"{count} messages were rejected.")
