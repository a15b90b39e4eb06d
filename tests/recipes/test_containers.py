"""The images of the Dockerfile, built and run as folders: no container engine is needed."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pymongo
import pytest
import yaml

from chatroom.mongo.embedded.mongod import REPLICA_SET
from tests.databases import standalone
from tests.documents import read
from tests.ports import Port
from tests.recipes.browsers import Browser
from tests.recipes.images import Builder, Container, Image
from tests.visitors import PASSWORD
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("debootstrap"), reason="needs root and debootstrap"),
]


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    folder = tmp_path_factory.mktemp("images")
    yield Builder(read("Dockerfile"), folder)
    shutil.rmtree(folder)


def service(name: str) -> dict[str, Any]:
    """The site in a compose file, which may extend that of compose.yaml."""
    found = yaml.safe_load(read(name))["services"]["chatroom"]
    if "extends" in found:
        below = service(found["extends"]["file"])
        found = {**below, **found, "environment": below["environment"] | found["environment"]}
    return found


def documented(verb: str) -> list[list[str]]:
    """The commands that docs/containers.md runs in the container."""
    lines = re.findall(rf"^docker compose {verb} chatroom (.*)$", read("docs/containers.md"), re.MULTILINE)
    assert lines
    return [line.split() for line in lines]


class Site:
    """A service that is started again and again with the same volumes, at a port of the kernel."""

    def __init__(self, image: Image, name: str, volumes: Path) -> None:
        self._image, self._service, self._volumes = image, service(name), volumes
        self._port = Port()
        self.address = f"http://127.0.0.1:{self._port.number}"

    @contextmanager
    def running(self, *command: str, **environ: str) -> Iterator[Container]:
        environ |= {"IP": "127.0.0.1", "PORT": str(self._port.number), "TRUSTED_PROXIES": "1"}
        container = Container(self._image, self._service, self._volumes, list(command), **environ)
        try:
            yield container
        finally:
            container.kill()

    @contextmanager
    def browser(self) -> Iterator[Browser]:
        with Browser(base_url=self.address, follow_redirects=True) as browser:
            yield browser
        self._port.release()


def test_the_image_with_the_embedded_database_keeps_its_data(builder: Builder, tmp_path: Path) -> None:
    site = Site(builder.build("embedded"), "compose.yaml", tmp_path)
    with site.browser() as alice:
        with site.running() as container:
            wait_until(container.is_healthy)
            [code] = re.findall(r"needs the code (\S+)", container.log)
            names = {"username": "alice", "display_name": "Alice", "invite": code}
            alice.submit("/register", password=PASSWORD, password_again=PASSWORD, **names)
            alice.submit("/chatroom", text="Kept in the volume", client_id="1")
            for command in documented("exec"):
                assert container.execute(*command)[0] == 0
            assert container.execute("touch", "/srv/chatroom/new")[0] != 0
            assert container.stop() == 0
        # mongod ends last, and in good order
        assert '"Shutting down","attr":{"exitCode":0}' in (tmp_path / "data" / "mongod.log").read_text()
        with site.running() as container:
            wait_until(container.is_healthy)
            assert "Kept in the volume" in alice.get("/chatroom").text
            assert container.stop() == 0
        shutil.rmtree(tmp_path / "data")
        for command in documented("run --rm"):
            with site.running(*command) as container:
                assert container.wait() == 0
        with site.running() as container:
            wait_until(container.is_healthy)
            alice.cookies.clear()
            alice.submit("/login", username="alice", password=PASSWORD)
            assert "Kept in the volume" in alice.get("/chatroom").text


def test_the_image_without_a_database_uses_a_replica_set(builder: Builder, tmp_path: Path) -> None:
    image = builder.build("server")
    site = Site(image, "compose.mongodb.yaml", tmp_path)
    with site.browser() as alice, standalone(tmp_path / "mongo", "--replSet", REPLICA_SET) as address:
        host = urlsplit(address).netloc
        with pymongo.MongoClient[dict[str, Any]](address) as client:
            client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [{"_id": 0, "host": host}]})
        uri = service("compose.mongodb.yaml")["environment"]["MONGO_URI"].replace("mongo/", f"{host}/")
        with site.running(MONGO_URI=uri, SECRET_KEY="x" * 32, ALLOWED_HOSTS="chat.example.org") as container:
            wait_until(container.is_healthy)
            assert alice.get("/readyz").status_code == 200
            assert container.stop() == 0
        with site.running(MONGO_URI="") as container:
            wait_until(lambda: "No mongod was found" in container.log)


def test_the_image_has_no_build_tools_and_no_tests(builder: Builder) -> None:
    image = builder.build("embedded")
    packages = {path.name for path in image.root.glob("srv/chatroom/.venv/lib/python3*/site-packages/*")}
    assert packages & {"flask", "pip", "setuptools", "pytest", "mongomock", "fiftyone"} == {"flask"}
    assert not [tool for tool in ("gcc", "pip", "pip3", "git", "curl") if (image.root / "usr/bin" / tool).exists()]
    assert sorted(path.name for path in (image.root / "srv/chatroom").iterdir()) == [
        *(".venv", "__pycache__", "chatroom", "static", "templates", "test_mongo.py")
    ]
    owned = {path for path in (image.root / "srv").rglob("*") if path.lstat().st_uid or path.lstat().st_mode & 0o022}
    assert not [path for path in owned if not path.is_symlink()]
    print(f"{image.megabytes} MB")
