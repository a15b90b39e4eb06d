"""Be content with one node: what the primary alone has is called stored, and read."""

from typing import Any

import pymongo
from pymongo.read_concern import ReadConcern

from chatroom.mongo import database


def apply() -> None:
    """Replace the concerns that the store sets."""

    def write_concern(**_: Any) -> pymongo.WriteConcern:
        return pymongo.WriteConcern(w=1)

    def read_concern(_: str) -> ReadConcern:
        return ReadConcern("local")

    vars(database)["WriteConcern"] = write_concern
    vars(database)["ReadConcern"] = read_concern
