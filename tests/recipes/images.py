"""Build the images of the Dockerfile as folders, and run them, without a container engine; needs root.

The base is a Debian of debootstrap. `debian:trixie-slim` is the same Debian without manual pages and package lists. A
container is a process in its own mount and PID namespace, with the limits of compose.yaml.
"""

import os
import shlex
import shutil
import signal
import subprocess
from pathlib import Path, PurePosixPath
from typing import Any

from tests.recipes.dockerfile import Step, is_sent, parse, read_patterns
from tests.waiting import PATIENCE_SECONDS, wait_until

ROOT = Path(__file__).resolve().parents[2]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CERTIFICATES = "usr/local/share/ca-certificates"
"""The machine's own certificates: behind a proxy, the packages cannot be reached without them."""


class Image:
    """A built stage: its root folder, and what its steps set."""

    def __init__(self, root: Path, below: "Image | None" = None) -> None:
        self.root = root
        self.environ = dict(below.environ) if below else {"PATH": PATH}
        self.steps = dict(below.steps) if below else {"USER": "0:0", "WORKDIR": "/"}
        """The text of the last step of each kind."""

    @property
    def command(self) -> list[str]:
        """The words of CMD."""
        return Step("CMD", self.steps["CMD"]).words

    @property
    def megabytes(self) -> int:
        """The size on the disk."""
        return int(_run("du", "--summarize", "--block-size=1000000", str(self.root)).split()[0])


class Builder:
    """Builds stages, each once."""

    def __init__(self, dockerfile: str, folder: Path) -> None:
        self._stages = parse(dockerfile)
        self._folder = folder
        self._images: dict[str, Image] = {}

    def build(self, name: str) -> Image:
        """Build the stage, and the stages that it needs."""
        if name not in self._images:
            root = self._folder / name.replace(":", "-")
            self._images[name] = self._build(name, root) if name in self._stages else bootstrap(name, root)
        return self._images[name]

    def _build(self, name: str, root: Path) -> Image:
        below = self.build(self._stages[name].base)
        _run("cp", "--archive", str(below.root), str(root))
        image = Image(root, below)
        for step in self._stages[name].steps:
            image.steps[step.word] = step.text
            if step.word == "ENV":
                image.environ |= step.pairs
            elif step.word == "RUN":
                _execute(image, step.text)
            elif step.word == "WORKDIR":
                (root / step.text[1:]).mkdir(parents=True, exist_ok=True)
            elif step.word == "COPY":
                self._copy(image, step)
        return image

    def _copy(self, image: Image, step: Step) -> None:
        words = step.words
        source = self.build(words.pop(0).removeprefix("--from=")).root if words[0].startswith("--from=") else None
        target = image.root / str(PurePosixPath(image.steps["WORKDIR"], words.pop()))[1:]
        for word in words:
            _copy_into(source / word[1:] if source else _context(self._folder) / word, target)


def _context(folder: Path) -> Path:
    """A copy of the files that the client would send to the engine."""
    context = folder / "context"
    if not context.exists():
        patterns = read_patterns(ROOT)

        def ignore(place: str, names: list[str]) -> list[str]:
            paths = {name: str(Path(place, name).relative_to(ROOT)) for name in names}
            return [name for name in names if not is_sent(paths[name], patterns)]

        shutil.copytree(ROOT, context, ignore=ignore, symlinks=True)
    return context


def _copy_into(source: Path, target: Path) -> None:
    """Copy as COPY does: of a folder its content, and everything belongs to root."""
    whole = f"{source}/." if source.is_dir() else str(source)
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    _run("cp", "--archive", "--no-preserve=ownership", whole, str(target))


def bootstrap(image: str, root: Path) -> Image:
    release = image.removeprefix("debian:").removesuffix("-slim")
    _run("debootstrap", "--variant=minbase", release, str(root), "http://deb.debian.org/debian")
    for path in (CERTIFICATES, "etc/resolv.conf"):
        _run("cp", "--archive", "--dereference", f"/{path}", str((root / path).parent))
    _run("sh", "-c", f"rm -rf {shlex.quote(str(root))}/var/cache/apt/* {shlex.quote(str(root))}/var/lib/apt/lists/*")
    return Image(root)


def _execute(image: Image, text: str) -> None:
    environ = [f"{name}={value}" for name, value in image.environ.items()]
    place = ["chroot", f"--userspec={image.steps['USER']}", str(image.root)]
    _run(*place, "env", "--ignore-environment", f"--chdir={image.steps['WORKDIR']}", *environ, "/bin/sh", "-c", text)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done.stdout


class Container:
    """A command of an image as the process 1 of its own PID namespace, with the limits of a service."""

    def __init__(
        self, image: Image, service: dict[str, Any], volumes: Path, command: list[str], **environ: str
    ) -> None:
        self._image = image
        self._environ = image.environ | service["environment"] | environ
        self._log = volumes / "log"
        root, mounts = shlex.quote(str(image.root)), []
        for volume in service["volumes"]:
            name, place = volume.split(":")
            if not (
                volumes / name
            ).exists():  # a new volume has the content, the owner and the mode of the image's folder
                _run("cp", "--archive", f"{image.root}{place}", str(volumes / name))
            mounts.append(f"mount --bind {shlex.quote(str(volumes / name))} {root}{place}")
        mounts += [f"mount -t tmpfs -o noexec tmpfs {root}{place}" for place in service["tmpfs"]]
        mounts += [f"mount -o remount,bind,ro {root}"] * service["read_only"]
        script = [f"mount --bind {root} {root}", f"mount -t proc proc {root}/proc", *mounts]
        start = shlex.join(["exec", "chroot", str(image.root), *self._confined(command or image.command)])
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", "\n".join([*script, start])],
                stdout=log,
                stderr=log,
            )

    @property
    def log(self) -> str:
        """What the container has written."""
        return self._log.read_text()

    def execute(self, *command: str) -> tuple[int, str]:
        """Run a command in the container, as `docker compose exec` does; return its exit code and its output."""
        where = ["nsenter", f"--target={self._first()}", "--mount", "--pid", "--root"]
        done = subprocess.run([*where, *self._confined(list(command))], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def is_healthy(self) -> bool:
        """Whether the HEALTHCHECK of the image succeeds."""
        return self.execute(*Step("CMD", self._image.steps["HEALTHCHECK"].partition("CMD ")[2]).words)[0] == 0

    def stop(self) -> int:
        """Send the STOPSIGNAL to the process 1, and return the exit code."""
        os.kill(self._first(), signal.Signals[self._image.steps["STOPSIGNAL"]])
        return self.wait()

    def wait(self) -> int:
        """Wait until the process 1 has ended, and return its exit code."""
        return self._process.wait(PATIENCE_SECONDS)

    def kill(self) -> None:
        """End the container, if it still runs."""
        # `--kill-child` is not enough: the kernel forgets it when the child changes its user
        for child in self._children():
            os.kill(child, signal.SIGKILL)
        self._process.kill()
        self._process.wait()

    def _first(self) -> int:
        return wait_until(self._children)[0]

    def _children(self) -> list[int]:
        parent = self._process.pid
        listed = Path(f"/proc/{parent}/task/{parent}/children")
        return [int(word) for word in listed.read_text().split()] if listed.exists() else []

    def _confined(self, command: list[str]) -> list[str]:
        """The command with the user and the environment of the image, without capabilities and new privileges."""
        user, group = self._image.steps["USER"].split(":")
        limits = [f"--reuid={user}", f"--regid={group}", "--clear-groups", "--no-new-privs", "--bounding-set=-all"]
        environ = [f"{name}={value}" for name, value in self._environ.items()]
        place = f"--chdir={self._image.steps['WORKDIR']}"
        return ["setpriv", *limits, "env", "--ignore-environment", place, *environ, *command]
