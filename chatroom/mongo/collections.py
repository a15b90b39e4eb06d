"""The declaration of a collection: its indexes, and how a backup treats it.

Each package declares its collections in its `wiring.py`; `chatroom.services.COLLECTIONS` lists all of them.
"""

from collections.abc import Iterable, Sequence
from graphlib import TopologicalSorter
from typing import Literal

import msgspec
from pymongo import IndexModel


class CollectionModel(msgspec.Struct, frozen=True):
    """One collection.

    `backup` is `kept` (in backups), `secret` (not in backups; must be empty before a restore), or `omitted` (not in
    backups, because the documents expire or are created again). `points_to` names the collections to which the
    documents refer. `batch` is the number of documents that a backup holds in memory at once.
    """

    name: str
    indexes: Sequence[IndexModel] = ()
    backup: Literal["kept", "secret", "omitted"] = "omitted"
    points_to: Sequence[str] = ()
    batch: int = 500


def backed_up(collections: Iterable[CollectionModel]) -> list[CollectionModel]:
    """Return the collections that a backup keeps, in this order: each before the collections in its `points_to`."""
    kept = {each.name: each for each in collections if each.backup == "kept"}
    pointing = TopologicalSorter({each.name: each.points_to for each in kept.values()})
    return [kept[name] for name in reversed(list(pointing.static_order()))]
