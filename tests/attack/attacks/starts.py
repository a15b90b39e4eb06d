"""Starts that nobody looks at: with addresses that cannot be right, in a folder of another, on an odd terminal."""

import os
import re
import time
from contextlib import suppress

import httpx

from tests.attack.attack import Ground, NotTried, Outcome, attack
from tests.waiting import PATIENCE_SECONDS

BAD_SETUP = 2


@attack("wrong-addresses", "medium")
def wrong_addresses(ground: Ground) -> Outcome:
    """Addresses of databases that cannot be right: the start says so in one line and ends with 2"""
    addresses = [
        "mongodb+srv://user:pass@cluster.invalid/",
        "mongodb://localhost:port/",
        "mongodb://localhost:99999/",
        "mongodb://user:%zz@localhost/",
        "mongodb://",
        "mongodb://localhost/?w=many&readPreference=none",
    ]
    opened = []
    for address in addresses[: ground.choose(3, 6)] if not ground.is_long else addresses:
        opened += [f"{address}: {what}" for what in start_with(ground, address)]
    return Outcome(len(addresses), opened)


@attack("password-pieces", "medium")
def password_pieces(ground: Ground) -> Outcome:
    """A password with an unescaped / or @ in the database's address: no piece of it is shown"""
    opened, addresses = (
        [],
        ["mongodb://user:left/rightpiece@127.0.0.1:1/", "mongodb://user:left@rightpiece@127.0.0.1:1/"],
    )
    for address in addresses:
        opened += [f"{address}: {what}" for what in start_with(ground, address, "rightpiece")]
    return Outcome(len(addresses), opened)


def start_with(ground: Ground, uri: str, secret: str = "") -> list[str]:
    """What is wrong with a start on this address."""
    with ground.start("address", MONGO_URI=uri, SECRET_KEY="k" * 32) as site:
        until = time.monotonic() + 20
        while (
            site.exit_code is None
            and time.monotonic() < until
            and "is at http" not in (site.folder / "out").read_text()
        ):
            time.sleep(0.05)
        code = site.wait_for_end(1.0) if site.exit_code is None else site.exit_code
        if code is None:
            with suppress(httpx.HTTPError):
                httpx.get(f"{site.url}/login", timeout=10, trust_env=False)
            time.sleep(0.5)
        said = site.log
        wrong = [] if code == BAD_SETUP else [f"it serves, {code}" if code is None else f"it ends with {code}"]
        if "Traceback" in said:
            wrong.append("a traceback")
        if secret and secret in said + (site.folder / "out").read_text():
            wrong.append("it shows a piece of the password")
        if code is not None and len(said.strip().splitlines()) != 1:
            wrong.append(f"{len(said.strip().splitlines())} lines")
        return wrong


@attack("ascii-terminal", "low", is_brief=False)
def ascii_terminal(ground: Ground) -> Outcome:
    """A terminal that knows no umlauts, and a site whose name has some"""
    with ground.start("ascii", SITE_NAME="Größenwahn", PYTHONIOENCODING="ascii") as site:
        started_at = time.monotonic()
        while site.exit_code is None and time.monotonic() < started_at + PATIENCE_SECONDS:
            if re.search(r"http://\S+:\d+", (site.folder / "out").read_text()):
                break
            time.sleep(0.05)
        opened = [f"it ends with {site.exit_code}"] if site.exit_code is not None else []
        opened += ["a traceback"] if "Traceback" in site.log else []
    return Outcome(1, opened)


@attack("folder-of-another", "low")
def folder_of_another(ground: Ground) -> Outcome:
    """A data folder that belongs to another account"""
    if os.geteuid() != 0:
        raise NotTried("only root can give a folder away")
    folder = ground.folder / "anothers"
    folder.mkdir(mode=0o700, parents=True)
    os.chown(folder, 65534, 65534)
    with ground.start("anothers", DATA_DIR=str(folder)) as site:
        until = time.monotonic() + PATIENCE_SECONDS
        while (
            site.exit_code is None
            and time.monotonic() < until
            and "is at http" not in (site.folder / "out").read_text()
        ):
            time.sleep(0.05)
        code = site.exit_code
    return Outcome(1, [] if code == BAD_SETUP else ["it is used" if code is None else f"it ends with {code}"])
