"""First messages of newcomers: whether they are held, and what becomes of those that are."""

import click

from chatroom.base.logs import escaped
from chatroom.moderation.newcomers import MOST
from chatroom.services import Services
from chatroom.web.commands.console import command


@command("set-holding")
@click.argument("first", type=click.IntRange(0, MOST))
def set_holding(services: Services, first: int) -> None:
    """Hold the first messages of newcomers, or (0) none.

    Also while the site runs: until a moderator approves them, nobody else sees them. What waits goes on waiting.
    """
    services.moderation.newcomers.set_first(None, first)
    click.echo(f"The first {first} messages of newcomers are held." if first else "No messages are held any more.")


@command("list-held")
def list_held(services: Services) -> None:
    """Show the messages that wait for approval.

    The one that has waited longest first, each with its id.
    """
    for row in services.moderation.approval.list_all():
        held = row.held
        room = row.room.title if row.room is not None else "a room that is gone"
        files = f" [{len(held.files)} files]" if held.files else ""
        text = f"{held.author.name} in {room}: {held.text}{files}"
        click.echo(f"{held.id}  {held.held_at:%Y-%m-%d %H:%M:%S}  {escaped(text)}")


@command("approve")
@click.argument("held", metavar="ID")
@click.option("--trust", is_flag=True, help="Hold no more messages of its author's.")
def approve(services: Services, held: str, trust: bool) -> None:
    """Post a message that waits for approval.

    ID is its id as `list-held` shows it.
    """
    services.moderation.approval.approve(None, held, is_trusting=trust)
    click.echo("It is posted.")


@command("reject")
@click.argument("held", metavar="ID")
@click.option("--reason", required=True, help="Why: its author is told, and it is noted.")
@click.option("--others", is_flag=True, help="And all others of its author's that wait.")
def reject(services: Services, held: str, reason: str, others: bool) -> None:
    """Let nobody see a message that waits for approval.

    ID is its id as `list-held` shows it.
    """
    count = services.moderation.approval.reject(None, held, reason, with_others=others)
    click.echo("It is rejected." if count == 1 else f"{count} messages are rejected.")
