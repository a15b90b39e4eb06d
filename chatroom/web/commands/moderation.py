"""Moderation commands: mute, ban, reports, held messages, the audit log."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import update_wrapper

import click

from chatroom.base.durations import end_of, until
from chatroom.base.logs import escaped
from chatroom.base.models import User
from chatroom.moderation.newcomers import MOST
from chatroom.moderation.sentences import sentence_of
from chatroom.services import Services
from chatroom.web.commands.console import command, get_user


def _for_a_time(act: Callable[[Services, User, datetime, str], None]) -> Callable[..., None]:
    """Make a command's function from `act`: add the argument NAME and the options --for and --reason."""

    @click.argument("name")
    @click.option(
        "--for", "duration", default="lifted", help="Such as 15m, 2h or 7d. The default lasts until it is lifted."
    )
    @click.option("--reason", required=True, help="The reason. The user sees it, and the audit log keeps it.")
    def run(services: Services, name: str, duration: str, reason: str) -> None:
        act(services, get_user(services, name), end_of(duration, datetime.now(UTC)), reason)

    return update_wrapper(run, act)


@command("mute")
@_for_a_time
def mute(services: Services, user: User, end: datetime, reason: str) -> None:
    """Mute NAME in every room: NAME can read but not post."""
    services.moderation.moderation.mute(None, user, end, reason)
    click.echo(f"{user.username} is muted {until(end)}.")


@command("unmute")
@click.argument("name")
def unmute(services: Services, name: str) -> None:
    """Lift the mute of NAME. Moderators of a room lift mutes in that room."""
    user = get_user(services, name)
    services.moderation.moderation.mute(None, user, None)
    click.echo(f"{user.username} can post again.")


@command("ban")
@_for_a_time
def ban(services: Services, user: User, end: datetime, reason: str) -> None:
    """Ban NAME from the site.

    The ban lasts for a time, or until it is lifted. The sessions, access tokens and open pages of NAME end at once.
    """
    services.moderation.moderation.ban(None, user, end, reason)
    click.echo(f"{user.username} is banned {until(end)}, and was logged out everywhere.")


@command("unban")
@click.argument("name")
def unban(services: Services, name: str) -> None:
    """Lift the ban of NAME."""
    user = get_user(services, name)
    services.moderation.moderation.ban(None, user, None)
    click.echo(f"{user.username} can log in again.")


@command("list-reports")
def list_reports(services: Services) -> None:
    """Show the open reports, the oldest first.

    Moderators decide about them on the page /reports.
    """
    for report in services.moderation.reports.list_open():
        text = f"{report.author.shown} in {report.room.title}, reported by {report.reporter.name}: {report.reason}"
        click.echo(f"{report.created_at:%Y-%m-%d %H:%M:%S}  {escaped(text)}")


@command("set-holding")
@click.argument("first", type=click.IntRange(0, MOST))
def set_holding(services: Services, first: int) -> None:
    """Hold the first messages of newcomers. FIRST is the number of these messages; 0 turns this off.

    The change takes effect within two seconds, even while the site runs. Until a moderator approves a held message,
    other members do not see it. Messages that are held already stay held.
    """
    services.moderation.newcomers.set_first(None, first)
    click.echo(f"The first {first} messages of newcomers are held." if first else "Messages are no longer held.")


@command("list-held")
def list_held(services: Services) -> None:
    """Show the held messages with their ids. The oldest comes first."""
    for row in services.moderation.approval.list_all():
        held, room = row.held, row.room.title if row.room is not None else "a deleted room"
        files = f" [{len(held.files)} files]" if held.files else ""
        text = f"{held.author.name} in {room}: {held.text}{files}"
        click.echo(f"{held.id}  {held.held_at:%Y-%m-%d %H:%M:%S}  {escaped(text)}")


@command("approve")
@click.argument("held", metavar="ID")
@click.option("--trust", is_flag=True, help="Also trust the author: hold none of their later messages.")
def approve(services: Services, held: str, trust: bool) -> None:
    """Approve and post a held message. ID is the message's id, which `list-held` shows."""
    services.moderation.approval.approve(None, held, is_trusting=trust)
    click.echo("The message was posted.")


@command("reject")
@click.argument("held", metavar="ID")
@click.option("--reason", required=True, help="The reason. The author sees it, and the audit log keeps it.")
@click.option("--others", is_flag=True, help="Also reject the author's other held messages.")
def reject(services: Services, held: str, reason: str, others: bool) -> None:
    """Reject a held message. ID is the message's id, which `list-held` shows."""
    count = services.moderation.approval.reject(None, held, reason, with_others=others)
    click.echo("The message was rejected." if count == 1 else f"{count} messages were rejected.")


@command("audit")
@click.option("--about", "name", help="Only acts on the user with this name.")
@click.option("--act", default="", help="Only acts of this kind: ban, set_role, ... (docs/moderation.md).")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Maximum number.")
def show_audit(services: Services, name: str | None, act: str, limit: int) -> None:
    """Show the audit log: who did what to whom, when and why.

    The newest first.
    """
    subject = get_user(services, name).id if name else ""
    before, left = "", limit
    while left > 0:
        page = services.site.audit.page(before, act=act, subject=subject)
        for entry in page.entries[:left]:
            because = f": {entry.reason}" if entry.reason else ""
            text = f"{entry.act}  {sentence_of(entry)}{because}"
            click.echo(f"{entry.at:%Y-%m-%d %H:%M:%S}  {escaped(text)}")
        before, left = page.before, left - len(page.entries)
        if not before:
            break
