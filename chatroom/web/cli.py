"""Commands for the person at the console: `flask --app test_mongo --help`.

Whoever can run them can read the database anyway, so they ask for no password but the new one.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import cast, get_args

import click
import msgspec
from flask import current_app
from flask.cli import with_appcontext

from chatroom import backup
from chatroom.accounts import Accounts, Registration
from chatroom.audit import CONSOLE
from chatroom.durations import end_of, until
from chatroom.embedded import EmbeddedMongo
from chatroom.embedded.folder import DataFolder, FolderError
from chatroom.errors import ChatroomError
from chatroom.export import parse_days
from chatroom.logs import escaped
from chatroom.models import Role, Room, Scope, User
from chatroom.moderation import Moderation
from chatroom.services import INDEXES, Services
from chatroom.store.backup import BackupStore
from chatroom.tokens import SCOPES, USUAL
from chatroom.web.export import Format, in_chunks, write

_FOLDER = click.Path(resolve_path=True, path_type=Path)


def _of_a_token(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of the access token that it makes."""
    days = click.option(
        "--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="How long it is good."
    )
    scopes = click.option(
        "--scope",
        "scopes",
        type=click.Choice(list(SCOPES)),
        multiple=True,
        default=USUAL,
        show_default=True,
        help="What it may do; may be given several times.",
    )
    rooms = click.option(
        "--room", "rooms", multiple=True, help="The only room that it is for; may be given several times."
    )
    return days(scopes(rooms(command)))


@click.command("create-user")
@click.argument("name")
@click.option("--display-name", help="What others see; the user name unless given.")
@click.option("--role", type=click.Choice(get_args(Role)), default="member", show_default=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking for it.")
def create_user(name: str, display_name: str | None, role: str, password_stdin: bool) -> None:
    """Make an account. The site's first one is its administrator, whatever the role."""
    password = _new_password(password_stdin)
    with _accounts() as accounts:
        wanted = Registration(username=name, display_name=display_name or name, password=password)
        user = accounts.create(wanted, cast("Role", role))
        click.echo(f"{user.username} ({user.display_name}) is registered, as {user.role}.")


@click.command("create-token")
@click.argument("name")
@click.option("--label", required=True, help="What it is for, as the account page shows it.")
@_of_a_token
def create_token(name: str, label: str, days: int, scopes: tuple[Scope, ...], rooms: tuple[str, ...]) -> None:
    """Make an access token with which a program can act as NAME, and print it, once."""
    with _accounts() as accounts:
        user = _user(accounts, name)
        click.echo(accounts.sessions.create_token(user, label=label, days=days, scopes=scopes, rooms=rooms))


@click.command("create-bot")
@click.argument("name")
@click.option("--display-name", help="What others see; the user name unless given.")
@_of_a_token
def create_bot(
    name: str, display_name: str | None, days: int, scopes: tuple[Scope, ...], rooms: tuple[str, ...]
) -> None:
    """Make an account for a program, shown as a bot and without a password, and print its access token, once."""
    with _accounts() as accounts:
        user = accounts.create_bot(name, display_name or name)
        click.echo(accounts.sessions.create_token(user, label=name, days=days, scopes=scopes, rooms=rooms))


@click.command("create-invite")
@click.option("--uses", type=click.IntRange(1, 10_000), default=1, show_default=True, help="How many may register.")
@click.option("--days", type=click.IntRange(1, 3650), default=7, show_default=True, help="How long it is good.")
def create_invite(uses: int, days: int) -> None:
    """Make an invitation code for registration by invite, and print it, once."""
    with _services() as services:
        services.prepare()
        click.echo(services.admission.make_invite(None, uses=uses, days=days))


@click.command("set-password")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking for it.")
def set_password(name: str, password_stdin: bool) -> None:
    """Give NAME a new password; every session and token of theirs ends."""
    password = _new_password(password_stdin)
    with _accounts() as accounts:
        user = accounts.set_password(_user(accounts, name), password)
        click.echo(f"{user.username} has a new password, and is logged out everywhere.")


@click.command("set-role")
@click.argument("name")
@click.argument("role", type=click.Choice(get_args(Role)))
def set_role(name: str, role: str) -> None:
    """Make NAME an administrator, a moderator, or a member again. The last administrator stays one."""
    with _services() as services:
        services.prepare()
        user = services.moderation.set_role(None, _user(services.accounts, name), cast("Role", role))
        click.echo(f"{user.username} is now: {role}.")


@click.command("end-sessions")
@click.argument("name")
def end_sessions(name: str) -> None:
    """Log NAME out everywhere, access tokens included."""
    with _services() as services:
        services.prepare()
        user = _user(services.accounts, name)
        click.echo(f"{services.moderation.end_sessions(None, user)} sessions of {user.username} were ended.")


@click.command("backup")
@click.argument("folder", type=_FOLDER)
def make_backup(folder: Path) -> None:
    """Write everything to a new FOLDER, also while people are writing (docs/backups.md)."""
    with _services() as services:
        manifest = backup.make(BackupStore(services.database, INDEXES), folder, _show_progress())
        for room, facts in manifest.rooms.items():
            if facts.missing_revisions:
                missing = f"{facts.missing_revisions} revisions of the room {room!r}"
                click.echo(f"Warning: {missing} are not in the database, so somebody removed messages.", err=True)
        click.echo(f"{folder} holds {_contents(manifest)}.")


@click.command("verify")
@click.argument("folder", type=_FOLDER)
def verify_backup(folder: Path) -> None:
    """Check that the backup in FOLDER is as it was written."""
    with _explained():
        manifest = backup.verify(folder, _show_progress())
        click.echo(f"{folder} is whole: {_contents(manifest)}, of {manifest.made_at:%Y-%m-%d %H:%M} UTC.")


@click.command("restore")
@click.argument("folder", type=_FOLDER)
def restore_backup(folder: Path) -> None:
    """Fill an empty database from the backup in FOLDER. Everybody has to log in again."""
    with _services() as services:
        manifest = backup.restore(BackupStore(services.database, INDEXES), folder, _show_progress())
        click.echo(f"The database now holds {_contents(manifest)}. Sessions and access tokens are not in backups.")


_for = click.option("--for", "duration", default="lifted", help="15m, 2h, 7d; until it is lifted unless given.")
_reason = click.option("--reason", required=True, help="Why: they are told, and it is noted.")


@click.command("mute")
@click.argument("name")
@_for
@_reason
def mute(name: str, duration: str, reason: str) -> None:
    """Let NAME read and not post, in every room."""
    with _person(name) as (moderation, user):
        end = end_of(duration, datetime.now(UTC))
        moderation.mute(None, user, end, reason)
        click.echo(f"{user.username} is muted {until(end)}.")


@click.command("unmute")
@click.argument("name")
def unmute(name: str) -> None:
    """Let NAME post again. A mute in a single room is lifted by its moderators."""
    with _person(name) as (moderation, user):
        moderation.unmute(None, user)
        click.echo(f"{user.username} may post again.")


@click.command("ban")
@click.argument("name")
@_for
@_reason
def ban(name: str, duration: str, reason: str) -> None:
    """Let NAME in no more: their sessions and access tokens end at once, and so do their open pages."""
    with _person(name) as (moderation, user):
        end = end_of(duration, datetime.now(UTC))
        moderation.ban(None, user, end, reason)
        click.echo(f"{user.username} is banned {until(end)}, and was logged out everywhere.")


@click.command("unban")
@click.argument("name")
def unban(name: str) -> None:
    """Let NAME log in again."""
    with _person(name) as (moderation, user):
        moderation.unban(None, user)
        click.echo(f"{user.username} may log in again.")


@click.command("list-invites")
def list_invites() -> None:
    """Show the invites by which somebody may still register; of each the beginning of its id, never its code."""
    with _services() as services:
        services.prepare()
        for each in services.admission.list_invites():
            by = f", by {escaped(each.made_by)}" if each.made_by else ""
            click.echo(f"{each.id[:8]}  {each.uses_left} left, until {each.expires_at:%Y-%m-%d %H:%M} UTC{by}")


@click.command("revoke-invite")
@click.argument("invite")
def revoke_invite(invite: str) -> None:
    """Make an invite worthless. INVITE is its id as `list-invites` shows it."""
    with _services() as services:
        services.prepare()
        found = [each.id for each in services.admission.list_invites() if each.id.startswith(invite)]
        if len(found) != 1:
            raise click.ClickException(f"There is no single invite whose id begins with {invite!r}.")
        services.admission.revoke_invite(None, found[0])
        click.echo("It is revoked.")


@click.command("set-registration")
@click.argument("mode", type=click.Choice(["open", "invite", "closed", "as-set-up"]))
def set_registration(mode: str) -> None:
    """Say who may register, also while the site runs: this wins over REGISTRATION until it is `as-set-up` again."""
    with _services() as services:
        services.prepare()
        services.admission.set_registration(None, "" if mode == "as-set-up" else mode)
        click.echo(f"Registration is now: {services.admission.registration()}.")


@click.command("list-users")
@click.argument("beginning", default="")
@click.option("--limit", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="How many at most.")
def list_users(beginning: str, limit: int) -> None:
    """Show the accounts by user name: those whose names begin with BEGINNING, or all."""
    with _accounts() as accounts:
        now = datetime.now(UTC)
        for user in accounts.users.list_like(beginning, "", limit):
            marks = [user.role, "bot" if user.is_bot else ""]
            for word, end in (("banned", user.banned_until), ("muted", user.muted_until)):
                marks.append(f"{word} {until(end)}" if end and end > now else "")
            words = ", ".join(filter(None, marks))
            click.echo(f"{user.username}  ({user.display_name})  {words}, since {user.created_at:%Y-%m-%d}")


@click.command("reset-link")
@click.argument("name")
def reset_link(name: str) -> None:
    """Print the path of a link by which NAME sets a new password: once, within 24 hours.

    Put the site's address before it, and give it to them by a way that is safe. All their sessions and access tokens
    end when it is used. Earlier links of theirs are worth nothing any more.
    """
    with _services() as services:
        services.prepare()
        click.echo(f"/reset/{services.resets.make(None, _user(services.accounts, name))}")


@click.command("list-reports")
def list_reports() -> None:
    """Show the reports that wait for a decision, the oldest first; they are decided on the page /reports."""
    with _services() as services:
        services.prepare()
        for report in services.reports.list_open():
            text = f"{report.author.name} in {report.room.title}, reported by {report.reporter.name}: {report.reason}"
            click.echo(f"{report.created_at:%Y-%m-%d %H:%M:%S}  {escaped(text)}")


@click.command("audit")
@click.option("--about", "name", help="Only what was done to the user of this name.")
@click.option("--act", default="", help="Only acts of this kind: ban, set_role, ... (docs/moderation.md).")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many at most.")
def show_audit(name: str | None, act: str, limit: int) -> None:
    """Show who did what to whom, when and why, the newest first."""
    with _services() as services:
        services.prepare()
        subject = _user(services.accounts, name).id if name else ""
        before, left = "", limit
        while left > 0:
            page = services.audit.page(before, act=act, subject=subject)
            for entry in page.entries[:left]:
                more = "".join(f" {key}={value}" for key, value in entry.details.items())
                because = f": {entry.reason}" if entry.reason else ""
                text = f"{entry.actor.name}  {entry.act}  {entry.subject.name}{more}{because}"
                click.echo(f"{entry.at:%Y-%m-%d %H:%M:%S}  {escaped(text)}")
            before, left = page.before, left - len(page.entries)
            if not before:
                break


@click.command("reindex")
def reindex() -> None:
    """Make the search index of every room anew. The site may run; searches find less until it is done."""
    with _services() as services:
        services.prepare()
        services.search.indexer.rebuild(_show_progress())
        click.echo("Every room is indexed.")


@click.command("export")
@click.argument("slug", metavar="ROOM")
@click.option("--format", "name", type=click.Choice(get_args(Format)), default="text", show_default=True)
@click.option("--from", "since", default="", metavar="DAY", help="From this day on, as 2026-01-31, in UTC.")
@click.option("--to", "until", default="", metavar="DAY", help="Up to this day, this one included.")
@click.option("--address", default="http://localhost", show_default=True, help="The site's own, for links to files.")
def export_room(slug: str, name: Format, since: str, until: str, address: str) -> None:
    """Write the messages of ROOM (its name in addresses) to standard output."""
    with _services() as services:
        days = parse_days(since, until)
        room = _room(services, slug)
        with current_app.test_request_context(base_url=address):
            for chunk in in_chunks(write(room, name, services.exports.read(room, days))):
                sys.stdout.buffer.write(chunk)


@click.command("clear-history")
@click.argument("slug", metavar="ROOM")
@click.option("--reason", default="", help="Why, for the audit log.")
@click.option("--yes", is_flag=True, help="Do not ask for the room's title.")
def clear_history(slug: str, reason: str, yes: bool) -> None:
    """Erase everything that was said in ROOM (its name in addresses), for good. Export it first."""
    with _services() as services:
        services.prepare()
        room = _room(services, slug)
        if not yes and click.prompt(f"Type the room's title, {escaped(room.title)}, to confirm").strip() != room.title:
            raise click.ClickException("This is not the room's title; nothing was cleared.")
        services.clearing.begin(room, CONSOLE, reason)
        services.clearing.finish(_show_progress())
        click.echo(f"The history of {escaped(room.title)} is cleared.")


COMMANDS = [
    create_user,
    create_token,
    create_bot,
    create_invite,
    set_password,
    set_role,
    end_sessions,
    make_backup,
    verify_backup,
    restore_backup,
    mute,
    unmute,
    ban,
    unban,
    reset_link,
    list_users,
    list_invites,
    revoke_invite,
    set_registration,
    list_reports,
    show_audit,
    reindex,
    export_room,
    clear_history,
]
for _command in COMMANDS:
    _command.callback = with_appcontext(cast("Callable[..., None]", _command.callback))


@contextmanager
def _accounts() -> Iterator[Accounts]:
    """The accounts of the site, ready for use."""
    with _services() as services:
        services.prepare()
        yield services.accounts


@contextmanager
def _services() -> Iterator[Services]:
    """What people can do here, while the site runs or while it does not."""
    services: Services = current_app.extensions["chatroom"]
    with _explained():
        services = _opened(services)
        try:
            yield services
        finally:
            services.close()


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except ChatroomError as error:
        raise click.ClickException(str(error)) from error


def _opened(services: Services) -> Services:
    try:
        services.open()
    except FolderError:
        # The site runs, and its mongod with it: go in beside it, with what the folder's owner may read.
        settings = services.settings
        uri = EmbeddedMongo(DataFolder(settings.data_path, lock=-1), settings.mongo_db).uri
        services = Services(msgspec.structs.replace(settings, mongo_uri=uri))
        services.open()
    return services


def _show_progress() -> backup.Report:
    """Say how far it is: on one line of a terminal again and again, in a log once in a while."""
    is_terminal = sys.stderr.isatty()
    pause = 0.2 if is_terminal else 10.0
    next_at = time.monotonic() + pause

    def show(name: str, done: int, expected: int) -> None:
        nonlocal next_at
        is_done = done == expected
        if is_done or time.monotonic() >= next_at:
            next_at = time.monotonic() + pause
            text = f"{name}: {done:,}" if is_done else f"{name}: {done:,} of {max(done, expected):,}"
            click.echo(f"\r{text:60}" if is_terminal else text, err=True, nl=is_done or not is_terminal)

    return show


def _contents(manifest: backup.Manifest) -> str:
    counts = {name: facts.documents for name, facts in manifest.collections.items()}
    return f"{counts['messages']:,} messages, {counts['users']:,} users, {counts['rooms']:,} rooms"


@contextmanager
def _person(name: str) -> Iterator[tuple[Moderation, User]]:
    """Somebody, and what can be done to them."""
    with _services() as services:
        services.prepare()
        yield services.moderation, _user(services.accounts, name)


def _user(accounts: Accounts, name: str) -> User:
    user = accounts.users.find_by_username(name)
    if user is None:
        raise click.ClickException(f"There is no user with the name {name!r}.")
    return user


def _room(services: Services, slug: str) -> Room:
    room = services.rooms.find_by_slug(slug)
    if room is None:
        raise click.ClickException(f"There is no room with the name {slug!r} in its address.")
    return room


def _new_password(is_on_stdin: bool) -> str:
    if is_on_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password
