"""A Debian machine in a folder: commands run in it as on a fresh machine. Needs root and debootstrap."""

import configparser
import os
import shlex
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.recipes.images import bootstrap
from tests.waiting import PATIENCE_SECONDS

ENVIRON = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}


class Machine:
    """The machine of an operator. It shares the network of this machine, and has no systemd as its first process."""

    def __init__(self, root: Path) -> None:
        self.root = root
        bootstrap("debian:bookworm-slim", root)
        # What Debian has on a server, and a minimal root lacks. A server also knows the newest packages.
        self.run("apt-get update && apt-get install --yes --no-install-recommends adduser cron rsync systemd")
        (root / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")  # packages start no services
        (root / "usr/sbin/policy-rc.d").chmod(0o755)

    def run(self, script: str, *, environ: dict[str, str] | None = None) -> str:
        """Run a script as root, as a person types it; return its output. Questions are answered with yes."""
        code, output = self.try_to_run(script, environ=environ)
        assert code == 0, f"{script}\n{output[-4000:]}"
        return output

    def try_to_run(self, script: str, *, environ: dict[str, str] | None = None) -> tuple[int, str]:
        """The same; return the exit code too."""
        words = [f"{name}={value}" for name, value in (ENVIRON | {"DEBIAN_FRONTEND": "noninteractive"}).items()]
        words = words if environ is None else [f"{name}={value}" for name, value in environ.items()]
        inner = shlex.join(["chroot", str(self.root), "env", "--ignore-environment", *words, "/bin/sh", "-ec", script])
        mounted = f"mount -t proc proc {shlex.quote(str(self.root / 'proc'))} && yes | {inner}"
        done = subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", mounted],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file, as an editor does: an existing file keeps its owner and its mode."""
        file = self.root / path.removeprefix("/")
        is_new = not file.exists()
        file.write_text(text)
        if is_new:
            file.chmod(mode)

    @contextmanager
    def daemon(self, script: str) -> Iterator[None]:
        """Run a program that does not end by itself."""
        inner = shlex.join(["chroot", str(self.root), "/bin/sh", "-c", f"exec {script}"])
        with (self.root.parent / "daemon.log").open("w") as log:
            process = subprocess.Popen(
                ["unshare", "--pid", "--fork", "--kill-child", "sh", "-c", f"exec {inner}"], stdout=log, stderr=log
            )
        try:
            yield
        finally:
            process.kill()
            process.wait()

    @contextmanager
    def service(self, unit: str, **environ: str) -> Iterator["Service"]:
        """Run the command of a unit, as far as this is possible without systemd; stop it at the end."""
        running = Service(self.root, unit, environ)
        try:
            yield running
        finally:
            running.stop()


class Service:
    """The command of a unit: with its user, its folder, its limits, and its view of the disk."""

    def __init__(self, root: Path, unit: str, environ: dict[str, str]) -> None:
        parser = configparser.RawConfigParser(strict=False)
        parser.optionxform = str  # type: ignore[method-assign, assignment]
        parser.read_string(unit)
        self._unit = parser["Service"]
        self.log_path = root.parent / "service.log"
        self._systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        name = f"\0chatroom-test-{os.getpid()}-{id(self)}"
        self._systemd.bind(name)
        self._systemd.settimeout(PATIENCE_SECONDS)
        environ = {"PATH": ENVIRON["PATH"], "LANG": "C.UTF-8", "NOTIFY_SOCKET": f"@{name[1:]}", **environ}
        with self.log_path.open("w") as log:
            self._process = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", self._script(root, environ)],
                stdout=log,
                stderr=log,
            )

    def _script(self, root: Path, environ: dict[str, str]) -> str:
        unit, top = self._unit, shlex.quote(str(root))
        runtime = f"/run/{unit['RuntimeDirectory']}"
        lines = [
            f"umask {unit['UMask']}",
            f"mount --bind {top} {top}",
            f"mount -t proc proc {top}/proc",
            f"mount -t tmpfs tmpfs {top}/run",
        ]
        lines += [f"chroot {top} install -d -o {unit['User']} {runtime}"]
        lines += [f"mount --bind {top}{path} {top}{path}" for path in unit["ReadWritePaths"].split()]
        assert (unit["ProtectSystem"], unit["ProtectHome"], unit["PrivateTmp"]) == ("strict", "yes", "yes")
        lines += [f"mount -o remount,bind,ro {top}"]
        lines += [f"mount -t tmpfs -o mode=1777 tmpfs {top}/tmp", f"mount -t tmpfs -o mode=700 tmpfs {top}/root"]
        limits = [f"--reuid={unit['User']}", f"--regid={unit['User']}", "--init-groups"]
        limits += ["--no-new-privs"] * (unit["NoNewPrivileges"] == "yes")
        limits += ["--bounding-set=-all"] * (unit["CapabilityBoundingSet"] == "")
        words = [f"{name}={value}" for name, value in (environ | {"RUNTIME_DIRECTORY": runtime}).items()]
        start = ["setpriv", *limits, "env", "--ignore-environment", f"--chdir={unit['WorkingDirectory']}", *words]
        return "\n".join([*lines, f"exec chroot {top} {shlex.join(start)} {unit['ExecStart']}"])

    @property
    def log(self) -> str:
        """What the journal would contain."""
        return self.log_path.read_text()

    def hear(self) -> str:
        """The next state that the service tells systemd."""
        try:
            return self._systemd.recv(1000).decode()
        except TimeoutError:
            raise AssertionError(self.log) from None

    def stop(self) -> int:
        """Stop the service, as `systemctl stop` does (`KillMode=mixed`); return its exit code."""
        if self._process.poll() is None:
            children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
            os.kill(int(children), signal.SIGTERM)
            self._process.wait(int(self._unit["TimeoutStopSec"]))
        self._systemd.close()
        return self._process.returncode
