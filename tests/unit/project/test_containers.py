"""The Dockerfile and the compose files agree with the code and each other; `make test-long` builds and runs them."""

import json
import re
from typing import Any

import pytest
import yaml

from chatroom.base.config import load_settings
from chatroom.mongo.embedded.mongod import REPLICA_SET
from chatroom.serve.start import _LAST_SECONDS
from tests.documents import ROOT, read
from tests.recipes.dockerfile import Stage, is_sent, parse, read_patterns

SECRET = "a secret of the tests"


@pytest.fixture(scope="module")
def stages() -> dict[str, Stage]:
    return parse(read("Dockerfile"))


def services(name: str) -> dict[str, Any]:
    return yaml.safe_load(read(name))["services"]


EMBEDDED = services("compose.yaml")["chatroom"]
REPLICATED = services("compose.mongodb.yaml")


def test_every_copied_file_exists_and_is_sent_to_the_engine(stages: dict[str, Stage]) -> None:
    copies = [step.words for stage in stages.values() for step in stage.find("COPY")]
    sources = {word for words in copies if not words[0].startswith("--from=") for word in words[:-1]}
    patterns = read_patterns(ROOT)
    assert sources == {pattern[1:] for pattern in patterns if pattern.startswith("!")}
    assert all((ROOT / source).exists() and is_sent(f"{source}/x", patterns) for source in sources)
    assert {words[0] for words in copies if words[0].startswith("--from=")} == {"--from=packages"}


@pytest.mark.parametrize(
    "path",
    [
        *(".env", ".git/config", ".venv/bin/python", "data/mongo.json", "data/secret_key", "backup/users.jsonl"),
        *("tests/people.py", "requirements-dev.lock", "chatroom/web/__pycache__/x.pyc", "compose.yaml", "tls/key.pem"),
    ],
)
def test_nothing_else_is_sent_to_the_engine(path: str) -> None:
    assert not is_sent(path, read_patterns(ROOT))


def test_the_packages_are_those_of_the_lock_with_their_hashes(stages: dict[str, Stage]) -> None:
    environ = {name: value for step in stages["packages"].find("ENV") for name, value in step.pairs.items()}
    assert environ == {"PIP_REQUIRE_HASHES": "1", "PIP_ONLY_BINARY": ":all:"}
    assert "requirements.txt" not in read("Dockerfile")
    options = re.findall(r"^WHEELS := (.*)", read("Makefile"), re.MULTILINE)[0].split()
    assert set(options) - {"--only-binary=:all:"} < set(stages["packages"].find("RUN")[1].words)


def test_the_server_runs_as_one_number_that_owns_the_volumes(stages: dict[str, Stage]) -> None:
    [create] = [step.text for step in stages["server"].find("RUN")]
    [number] = re.findall(r"--uid (\d+)", create)
    assert [step.text for step in stages["server"].find("USER")] == [f"{number}:{number}"]
    assert stages["embedded"].find("USER")[-1].text == f"{number}:{number}"
    assert "--mode=700 " + " ".join(stages["server"].find("VOLUME")[0].words) in create


def test_signals_and_checks_reach_the_server_without_a_shell(stages: dict[str, Stage]) -> None:
    server = stages["server"]
    assert server.find("CMD")[0].words == ["python", "test_mongo.py"]
    assert server.find("STOPSIGNAL")[0].text == "SIGTERM"
    check = json.loads(server.find("HEALTHCHECK")[0].text.partition("CMD ")[2])
    assert check[:2] == ["python", "-c"]
    compile(check[2], "HEALTHCHECK", "exec")
    assert float(EMBEDDED["stop_grace_period"].removesuffix("s")) > _LAST_SECONDS


def test_every_setting_exists_and_is_accepted(stages: dict[str, Stage]) -> None:
    environ = stages["server"].find("ENV")[0].pairs
    image = {name: value for name, value in environ.items() if name not in {"PATH", "FLASK_APP"}}
    assert EMBEDDED["environment"] == image
    settings = load_settings(image)
    assert {name for name in image if not hasattr(settings, name.lower())} == set()
    assert settings.is_public
    assert (settings.port, f":{settings.port}") == (
        int(stages["server"].find("EXPOSE")[0].text),
        EMBEDDED["ports"][0][-5:],
    )


def test_the_site_has_only_what_it_needs(stages: dict[str, Stage]) -> None:
    assert [volume.split(":")[1] for volume in EMBEDDED["volumes"]] == stages["server"].find("VOLUME")[0].words
    assert EMBEDDED["ports"][0].startswith("127.0.0.1:")
    assert (EMBEDDED["cap_drop"], EMBEDDED["security_opt"]) == (["ALL"], ["no-new-privileges:true"])
    assert EMBEDDED["read_only"]
    assert EMBEDDED["init"]
    assert {EMBEDDED["build"]["target"], REPLICATED["chatroom"]["build"]["target"]} <= set(stages)


def test_the_replica_set_of_the_compose_file_is_the_one_of_the_address() -> None:
    site, mongo = REPLICATED["chatroom"], REPLICATED["mongo"]
    settings = load_settings(EMBEDDED["environment"] | site["environment"] | {"SECRET_KEY": SECRET})
    assert settings.mongo_uri == f"mongodb://mongo/?replicaSet={REPLICA_SET}"
    assert mongo["command"][1:3] == ["--replSet", REPLICA_SET]
    assert f'{{_id: "{REPLICA_SET}", members: [{{_id: 0, host: "mongo:27017"}}]}}' in mongo["healthcheck"]["test"][-1]
    assert set(EMBEDDED["environment"]).isdisjoint(site["environment"])


def test_only_the_site_reaches_the_database_without_a_password() -> None:
    networks = yaml.safe_load(read("compose.mongodb.yaml"))["networks"]
    assert networks == {"database": {"internal": True}}
    assert REPLICATED["mongo"]["networks"] == ["database"]
    assert "ports" not in REPLICATED["mongo"]
    assert [name for name, service in REPLICATED.items() if "database" in service["networks"]] == ["chatroom", "mongo"]
