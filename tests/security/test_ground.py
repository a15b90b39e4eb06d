"""What everything else stands on: the database's own restrictions, what is installed, TLS, no debugger."""

import asyncio
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import httpx
import pymongo
import pytest
from pymongo.errors import OperationFailure

from chatroom.mongo.embedded import EmbeddedMongo
from tests.conftest import MakeApp
from tests.security.live import Socket, served
from tests.security.people import Cast
from tests.security.server import serving
from tests.waiting import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = re.compile(r"\$where|\$function|\$accumulator|map_reduce|mapReduce|bson\.code|from bson import .*Code")


@pytest.mark.integration
def test_the_database_runs_no_scripts(mongod: EmbeddedMongo) -> None:
    """I03: not even for root."""
    with pymongo.MongoClient[dict[str, object]](mongod.root_uri) as root:
        collection = root["scripts"]["things"]
        collection.insert_one({"a": 1})
        for query in (
            {"$where": "sleep(1000) || true"},
            {"$expr": {"$function": {"body": "function() { return true }", "args": [], "lang": "js"}}},
        ):
            with pytest.raises(OperationFailure):
                list(collection.find(query))
        root.drop_database("scripts")


def test_no_code_asks_for_scripts() -> None:
    """I03."""
    sources = [path for path in (ROOT / "chatroom").rglob("*.py") if SCRIPTS.search(path.read_text())]
    assert sources == []


@pytest.mark.integration
def test_the_app_s_account_can_use_its_database_and_no_other(mongod: EmbeddedMongo) -> None:
    """O01: nobody gets in without a password, and with the app's nothing is done that the app does not do."""
    uri = mongod.uri_for("ground")
    address = re.sub(r"//.*@", "//", uri).partition("/?")[0]
    with (
        pymongo.MongoClient[dict[str, object]](address, directConnection=True) as anybody,
        pytest.raises(OperationFailure, match="requires authentication"),
    ):
        anybody["ground"]["messages"].find_one()
    with pymongo.MongoClient[dict[str, object]](uri) as app:
        app["ground"]["things"].insert_one({})
        for forbidden in (
            lambda: app["admin"]["system.users"].find_one(),
            lambda: app["admin"].command("listDatabases", nameOnly=False, authorizedDatabases=False),
            lambda: app["admin"]["things"].drop(),
            lambda: app["local"]["oplog.rs"].find_one(),
            lambda: app["elsewhere"]["things"].insert_one({}),
            lambda: app["ground"].command("createUser", "x", pwd="x", roles=["root"]),
            lambda: app["ground"].command("dropDatabase"),
            lambda: app["admin"].command("getLog", "global"),
            lambda: app["admin"].command("shutdown"),
        ):
            with pytest.raises(OperationFailure) as refusal:
                forbidden()
            assert refusal.value.code == 13
        app["ground"]["things"].drop()


def test_installed_packages_have_no_known_vulnerability() -> None:
    """O07: the floors, where a hole was closed; `make audit` asks for newer ones."""
    floors = {"flask": (3, 1, 3), "uvicorn": (0, 52, 1), "bcrypt": (5, 0), "pymongo": (4, 20)}
    for package, floor in floors.items():
        installed = tuple(int(part) for part in version(package).split(".")[:3])
        assert installed >= floor, package
    required = (ROOT / "requirements.txt").read_text().lower()
    assert re.search(r"^bcrypt~=5\.\d+\s", required, re.MULTILINE), "by major"
    assert re.search(r"^python-socketio~=5\.(1[89]|[2-9]\d)", required, re.MULTILINE), "5.16.4 was CVE-2026-48804"
    for absent in ("flask-socketio", "eventlet", "gevent", "passlib"):
        assert absent not in required


def test_over_tls_only_a_page_read_over_tls_may_connect(make_app: MakeApp) -> None:
    """O04, C04, S01: behind a proxy that ends TLS: wss only, and a cookie that plain http never carries."""
    cast = Cast(make_app(trusted_proxies=1))
    person = cast.person("member")

    attempts = {
        ("https://room.test", "https", "__Host-session"): 101,
        ("http://room.test", "https", "__Host-session"): 403,
        ("https://room.test", "https", "session"): 401,
        ("http://room.test", "http", "__Host-session"): 401,
    }

    async def connect() -> dict[tuple[str, str, str], int]:
        statuses = {}
        async with served(cast.app) as asgi:
            for origin, scheme, cookie in attempts:
                headers = {"origin": origin, "x-forwarded-proto": scheme, "cookie": f"{cookie}={person.cookie}"}
                socket = Socket(asgi, headers=headers)
                statuses[origin, scheme, cookie] = status = await socket.open()
                if status == 101:
                    await socket.leave()
        return statuses

    assert asyncio.run(connect()) == attempts


@pytest.mark.integration
def test_there_is_no_debugger(mongod: EmbeddedMongo, tmp_path: Path) -> None:
    """O05, X04: whatever Flask's own variables say."""
    with serving(mongod, tmp_path, FLASK_DEBUG="1", FLASK_ENV="development") as server:
        with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=PATIENCE_SECONDS) as client:
            answers = [
                client.get("/console"),
                client.get("/?__debugger__=yes&cmd=resource&f=debugger.js"),
                client.get("/nothing-here"),
                client.post("/login", content=b"\xff" * 10, headers={"Content-Type": "application/json"}),
            ]
        for answer in answers:
            assert "Traceback" not in answer.text
            assert "Werkzeug" not in answer.text
            assert "application/javascript" not in answer.headers["Content-Type"]
            assert "server" not in answer.headers


@pytest.mark.parametrize(("soft", "hard"), [(256, 4096), (1024, 200_000), (256, 256)])
def test_a_shell_s_few_files_are_no_bound(soft: int, hard: int) -> None:
    """L07: with 1,024 files, a thousand idle connections of nobody shut everybody out."""
    code = (
        f"import resource as r; r.setrlimit(r.RLIMIT_NOFILE, ({soft}, min({hard}, r.getrlimit(r.RLIMIT_NOFILE)[1])));"
        "from chatroom.serve.start import allow_many_files; allow_many_files(); print(*r.getrlimit(r.RLIMIT_NOFILE))"
    )
    command = [sys.executable, "-c", code]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=PATIENCE_SECONDS)
    now, most = map(int, answer.stdout.split())
    assert now == min(most, 65_536)
