"""The queries that were sent, and how a server goes about them."""

from collections.abc import Iterator
from typing import Any

import pymongo

from chatroom.mongo.database import Database

LEFT_OUT = {"lsid", "txnNumber", "maxTimeMS", "writeConcern", "readConcern"}
QUERIES = {"find", "update", "delete", "aggregate", "findAndModify"}


class Commands(pymongo.monitoring.CommandListener):
    """The queries that were sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def started(self, event: Any) -> None:
        if event.command_name in QUERIES:
            self.sent.append(dict(event.command))

    def succeeded(self, event: Any) -> None: ...
    def failed(self, event: Any) -> None: ...


def explain(database: Database, command: dict[str, Any]) -> Any:
    kept = {key: value for key, value in command.items() if key not in LEFT_OUT and not key.startswith("$")}
    plan = database.client[database.name].command("explain", kept, verbosity="executionStats")
    return plan["stages"][0]["$cursor"] if "stages" in plan else plan  # of an aggregation, the part that reads


def stages_of(plan: Any) -> Iterator[str]:
    if isinstance(plan, dict):
        if "stage" in plan:
            yield plan["stage"]
        for value in plan.values():
            yield from stages_of(value)
    elif isinstance(plan, list):
        for value in plan:
            yield from stages_of(value)
