"""The database of a server of ours, as the owner of its data folder may open it: to let writes fail on purpose."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pymongo import MongoClient

from tests.attack.site import Site


def option(command: list[str], name: str) -> str:
    """What a command line gives to an option; empty where it does not."""
    return next((after for word, after in pairwise(command) if word == name), "")


def place_of(command: list[str]) -> Path | None:
    """The socket at which a mongod of this command line listens; None where it has a port."""
    place = option(command, "--bind_ip")
    return Path(place) if place.startswith("/") else None


def address_of(site: Site) -> str:
    """Where its mongod listens, as a part of an address."""
    for command in site.descendants().values():
        if Path(command[0]).name == "mongod":
            place = place_of(command)
            return quote(str(place), safe="") if place else f"127.0.0.1:{option(command, '--port')}"
    raise AssertionError("no mongod was found")


class Owner:
    """Whoever owns the data folder, and so has the password of root."""

    def __init__(self, site: Site) -> None:
        record = json.loads((site.folder / "data" / "mongo.json").read_text())
        self._uri = f"mongodb://root:{record['root_password']}@{address_of(site)}/?directConnection=true"

    @contextmanager
    def refusing(self, collection: str) -> Iterator[None]:
        """Let every write into a collection fail meanwhile."""
        client: MongoClient[dict[str, Any]]
        with MongoClient(self._uri) as client:
            database = client["chatroom"]
            if collection not in database.list_collection_names():
                database.create_collection(collection)
            database.command("collMod", collection, validator={"no_such_field": 1}, validationAction="error")
            try:
                yield
            finally:
                database.command("collMod", collection, validator={})
