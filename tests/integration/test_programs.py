"""Programs that were written for other chats, against the real server."""

import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apprise
import httpx
import pytest
from slack_sdk.models.blocks import DividerBlock, HeaderBlock, SectionBlock
from slack_sdk.webhook import WebhookClient

from chatroom.base.models import Author
from chatroom.mongo.embedded import EmbeddedMongo
from chatroom.rooms.access import LOBBY
from tests.security.server import UNLIMITED, Server, serving

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server(mongod: EmbeddedMongo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(mongod, tmp_path_factory.mktemp("server"), **UNLIMITED) as server:
        yield server


@pytest.fixture(scope="module")
def secret(server: Server) -> str:
    """The secret of a webhook of the first account, which administers the lobby."""
    user = server.user("alice")
    access = server.services.rooms.access.get_for(user.id, LOBBY.slug)
    return server.services.outbound.webhooks.make_incoming(access, Author(user.id, user.display_name), "CI")


class TestIncomingWebhook:
    @pytest.fixture
    def address(self, server: Server, secret: str) -> str:
        return f"http://127.0.0.1:{server.port}/hooks/{secret}"

    @staticmethod
    def newest(server: Server) -> tuple[str, str]:
        """The name of the newest message's author, and its text."""
        [message] = server.services.messages.history.newest(LOBBY, 1).messages
        return message.author.name, message.text

    def test_slack_sdk(self, server: Server, address: str) -> None:
        client = WebhookClient(address)
        answer = client.send(text="<https://ci.example/1|Build 1> *ok*")
        assert (answer.status_code, answer.body) == (200, "ok")
        assert self.newest(server) == ("CI", "[Build 1](https://ci.example/1) **ok**")
        blocks = [HeaderBlock(text="Deployed"), DividerBlock(), SectionBlock(text="*api* is live", fields=["_a_", "b"])]
        answer = client.send(text="Deployed", blocks=blocks, unfurl_links=False, response_type="in_channel")
        assert (answer.status_code, answer.body) == (200, "ok")
        assert self.newest(server)[1] == "**Deployed**\n\n———\n\n**api** is live\n\n_a_\n\nb"
        answer = client.send(attachments=[{"fallback": "Disk full", "color": "danger"}])
        assert (answer.status_code, answer.body) == (200, "ok")
        assert self.newest(server)[1] == "Disk full"
        assert client.send(text="").status_code == 400
        assert client.send_dict({"words": "a"}).status_code == 400
        assert WebhookClient(f"{address}x").send(text="a").status_code == 404

    @pytest.mark.parametrize(
        ("kind", "text"),
        [
            ("mmost://Backup@127.0.0.1:{port}/{secret}", "Done\n**all** of it"),
            ("json://127.0.0.1:{port}/hooks/{secret}", "**Done**\n\n**all** of it"),
        ],
    )
    @pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # imported by one of its plugins
    def test_apprise(self, server: Server, secret: str, kind: str, text: str) -> None:
        program = apprise.Apprise()
        assert program.add(kind.format(port=server.port, secret=secret))
        assert program.notify(title="Done", body="**all** of it")
        assert self.newest(server)[1] == text
        wrong = apprise.Apprise()
        assert wrong.add(kind.format(port=server.port, secret="guessed"))
        assert not wrong.notify(body="a")

    def test_alertmanager_as_for_slack(self, server: Server, address: str) -> None:
        """It takes every answer that is not `ok` for a failure."""
        title = "[FIRING:1] DiskFull (db1 page)"
        attachment = {
            "title": title,
            "title_link": "http://am.example:9093/#/alerts?receiver=chat",
            "text": "",
            "fallback": f"{title} | http://am.example:9093/#/alerts?receiver=chat",
            "callback_id": "",
            "footer": "",
            "color": "danger",
            "mrkdwn_in": ["fallback", "pretext", "text"],
        }
        body = {"channel": "#ops", "username": "Alertmanager", "icon_emoji": "", "attachments": [attachment]}
        answer = httpx.post(address, json=body, headers={"User-Agent": "Alertmanager/0.28.0"})
        assert (answer.status_code, answer.text, answer.headers["Content-Type"].partition(";")[0]) == (
            200,
            "ok",
            "text/plain",
        )
        text = f"**[{title}](http://am.example:9093/#/alerts?receiver=chat)**"
        assert self.newest(server) == ("Alertmanager via CI", text)

    def test_grafana_as_for_discord(self, server: Server, address: str) -> None:
        body = {
            "username": "Grafana",
            "content": "**Firing**",
            "embeds": [
                {"title": "[FIRING:1] CPU", "type": "rich", "url": "https://g.example/alerting", "color": 14037554}
            ],
        }
        answer = httpx.post(address, params={"wait": "true"}, json=body)
        assert (answer.status_code, answer.text) == (200, "ok")
        text = "**Firing**\n\n**[[FIRING:1] CPU](https://g.example/alerting)**"
        assert self.newest(server) == ("Grafana via CI", text)


class TestGeneratedClient:
    """Made from the OpenAPI document by openapi-python-client."""

    @pytest.fixture
    def find_module(self, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
        document = tmp_path / "openapi.json"
        document.write_text(httpx.get(f"http://127.0.0.1:{server.port}/api/openapi.json").text)
        settings = tmp_path / "settings.json"
        settings.write_text(json.dumps({"post_hooks": []}))  # they only format the code
        command = [sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning", "--meta", "none"]
        options = ["--config", settings, "--path", document, "--output-path", tmp_path / "generated_client"]
        subprocess.run([*command, *options], check=True, capture_output=True)
        monkeypatch.syspath_prepend(tmp_path)
        return lambda name: importlib.import_module(f"generated_client.{name}")

    def test_it_posts_reads_edits_and_deletes(self, server: Server, find_module: Callable[[str], Any]) -> None:
        models = find_module("models")
        url = f"http://127.0.0.1:{server.port}"
        with find_module("client").AuthenticatedClient(base_url=url, token=server.token("alice")) as client:

            def call(name: str, *path: str, **more: Any) -> Any:
                return find_module(f"api.messages.{name}").sync("lobby", *path, client=client, **more)

            post = models.Post(text="helo", client_id="generated-1")
            posted, again = call("post_message", body=post), call("post_message", body=post)
            assert again.id == posted.id
            change = models.Editing(text="hello", revision=posted.revision)
            edited = call("edit_message", posted.id, body=change)
            [listed] = call("list_messages", after=posted.revision).messages
            assert (listed.id, listed.text, listed.revision) == (posted.id, "hello", edited.revision)
            call("delete_message", posted.id)
            assert call("get_message", posted.id).deleted_at
            assert call("get_message", "0" * 24).error.reason == "not_found"
