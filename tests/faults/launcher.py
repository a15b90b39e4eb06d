"""Start the app as `python test_mongo.py` does, with a clock that can be made to jump and, on request, a mutation.

Only this file knows how: the product has no switch for either. The clock is patched where the product asks for the
time of day (`datetime.now` in its own modules); what it measures by a monotonic clock stays as it is.
"""

import argparse
import importlib
import os
import pkgutil
import sys
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import chatroom


def install_clock(path: Path) -> None:
    """Add the seconds that the file holds to the time of day, from now on and as the file changes."""
    file = os.open(path, os.O_RDONLY)

    class Jumping(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + timedelta(seconds=float(os.pread(file, 32, 0) or 0))

    for found in pkgutil.walk_packages(chatroom.__path__, "chatroom."):
        module = importlib.import_module(found.name)
        if getattr(module, "datetime", None) is datetime:
            module.datetime = Jumping  # type: ignore[attr-defined]


def main() -> int:
    """Do what the command line says, then serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clock", type=Path)
    parser.add_argument("--mutation", default="")
    asked = parser.parse_args()
    if asked.clock:
        install_clock(asked.clock)
    if asked.mutation:
        importlib.import_module(f"tests.faults.mutations.{asked.mutation}").apply()
    from chatroom.serve.start import serve

    return serve()


if __name__ == "__main__":
    sys.exit(main())
