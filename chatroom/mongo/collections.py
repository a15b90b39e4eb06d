"""The declaration of a collection: everything that the database, the backup and the documentation need.

Each package lists its own in its `wiring.py`; `chatroom.services.COLLECTIONS` has all of them.
"""

from collections.abc import Iterable, Sequence
from graphlib import TopologicalSorter
from typing import Literal

import msgspec
from pymongo import IndexModel


class CollectionModel(msgspec.Struct, frozen=True):
    """One collection.

    `backup`: whether it is `kept` in backups, is a `secret` that is in none and must not be there before a restore, or
    is `omitted`, because it expires or is made anew. `points_to` names the collections whose documents it needs;
    `batch` is how many documents a backup holds in memory at once.
    """

    name: str
    indexes: Sequence[IndexModel] = ()
    backup: Literal["kept", "secret", "omitted"] = "omitted"
    points_to: Sequence[str] = ()
    batch: int = 500


def backed_up(collections: Iterable[CollectionModel]) -> list[CollectionModel]:
    """Those that a backup keeps, in the order of reading: what others point to is read after them."""
    kept = {each.name: each for each in collections if each.backup == "kept"}
    pointing = TopologicalSorter({each.name: each.points_to for each in kept.values()})
    return [kept[name] for name in reversed(list(pointing.static_order()))]
