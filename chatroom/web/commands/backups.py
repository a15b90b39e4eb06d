"""Make a backup while the site runs, check a backup without a database, restore a backup into an empty database."""

from pathlib import Path

import click

from chatroom.export import backup
from chatroom.export.backup_folder import Manifest
from chatroom.services import COLLECTIONS, Services
from chatroom.web.commands.console import command, counted, explained, show_progress

_folder = click.argument("folder", type=click.Path(resolve_path=True, path_type=Path))


@command("backup", is_prepared=False)
@_folder
def make_backup(services: Services, folder: Path) -> None:
    """Write a backup to a new FOLDER.

    It also works while the site runs (docs/operating.md).
    """
    manifest = backup.make(services.export.backups, folder, show_progress())
    for room, facts in manifest.rooms.items():
        if facts.missing_revisions:
            missing = f"{facts.missing_revisions} revisions of the room {room!r}"
            click.echo(f"Warning: {missing} are missing from the database: messages were removed.", err=True)
    click.echo(f"{folder} contains {_contents(manifest)}.")


@click.command("verify")
@_folder
def verify_backup(folder: Path) -> None:
    """Check that a backup is complete and unchanged."""
    with explained():
        manifest = backup.verify(COLLECTIONS, folder, show_progress())
    click.echo(f"{folder} is complete: {_contents(manifest)}, of {manifest.made_at:%Y-%m-%d %H:%M} UTC.")


@command("restore", is_prepared=False)
@_folder
def restore_backup(services: Services, folder: Path) -> None:
    """Fill an empty database from a backup in FOLDER.

    All users must log in again: sessions and access tokens are not in backups.
    """
    manifest = backup.restore(services.export.backups, folder, show_progress())
    services.upgrade(show_progress())  # the folder is the backup that an upgrade asks for
    click.echo(f"The database now contains {_contents(manifest)}. Sessions and access tokens are not in backups.")


def _contents(manifest: Manifest) -> str:
    counts = {name: facts.documents for name, facts in manifest.collections.items()}
    return ", ".join(counted(counts[f"{one}s"], one) for one in ("message", "user", "room"))
