"""Files of other accounts of this machine: whose they are, and which command does it right."""

import os
import pwd
import shlex
import sys
from pathlib import Path


def owner_of(path: Path) -> int:
    """Return the number of the account that owns a file."""
    return path.stat().st_uid


def name_of(user: int) -> str:
    """Return the name of an account, or its number if it has no name."""
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def run_as(user: str) -> str:
    """Say how to run the command of this process as another account."""
    switch = f"runuser -u {user} --" if os.geteuid() == 0 else f"sudo -u {user}"
    return f"Run: {switch} {shlex.join(sys.orig_argv)}"


def give_to_me(path: Path) -> str:
    """Say how root gives a folder to the account of this process."""
    return f"as root, run: chown -R {name_of(os.geteuid())}: {shlex.quote(str(path))}"
