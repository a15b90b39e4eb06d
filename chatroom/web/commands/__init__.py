"""Console commands for the operator: `flask --app test_mongo --help`.

They require no password, because everybody who can run them can read the database.
"""

import click

from chatroom.web.commands import backups, moderation, people, rooms, upgrades

COMMANDS = [
    each
    for module in (people, moderation, rooms, backups, upgrades)
    for each in vars(module).values()
    if isinstance(each, click.Command)
]
