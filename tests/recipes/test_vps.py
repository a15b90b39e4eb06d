"""A VPS, as docs/operating.md sets it up: installed, served through a proxy, watched, backed up and updated."""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from tests.ports import Port
from tests.recipes.blocks import block, command
from tests.recipes.browsers import Browser, Routed
from tests.recipes.roots import Machine, Service
from tests.visitors import PASSWORD
from tests.waiting import PATIENCE_SECONDS, wait_until

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("debootstrap"), reason="needs root and debootstrap"),
]

ROOT = Path(__file__).resolve().parents[2]
HOST = "chat.example.org"
UNIT = block("A VPS with systemd", 2)
BACKUPS = "/var/backups/chatroom"
CRON = {"SHELL": "/bin/sh", "PATH": "/usr/bin:/bin", "HOME": "/root", "LOGNAME": "root"}
TOKEN = "the METRICS_TOKEN"
IDLE_SECONDS = 70
MOST_EXPOSED = 35  # of 100
CLIENT = "127.0.0.9"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine on which the site is installed."""
    folder = tmp_path_factory.mktemp("vps")
    made = Machine(folder / "root")
    made.run("apt-get install --yes --no-install-recommends caddy nginx openssl prometheus")
    made.run("rm /etc/nginx/sites-enabled/default")
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, made.root / "repository"], check=True)
    subprocess.run(["git", "-C", made.root / "repository", "checkout", "--quiet", "-B", "main"], check=True)
    made.run(block("A VPS with systemd", 0).replace("<this repository>", "/repository"))
    made.write("/srv/chatroom/.env", block("A VPS with systemd", 1))
    made.write("/etc/systemd/system/chatroom.service", UNIT)
    yield made
    shutil.rmtree(folder)


class Site:
    """The running site, and its addresses through a proxy."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.ports = {name: Port() for name in ("app", "http", "https", "prometheus")}
        self.service: Service

    def port(self, name: str) -> int:
        return self.ports[name].number

    def install(self, path: str, text: str, **changes: str) -> None:
        """Write a configuration of the page; replace its ports."""
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        self.machine.write(path, text)

    def console(self, command: str) -> str:
        """Run a command of the page as the user of the server."""
        return self.machine.run(f"cd /srv/chatroom && runuser -u chatroom -- {command}")


@pytest.fixture(scope="module")
def site(machine: Machine) -> Iterator[Site]:
    made = Site(machine)
    with machine.service(UNIT, PORT=str(made.port("app")), METRICS_TOKEN=TOKEN) as made.service:
        assert "READY=1" in made.service.hear()
        yield made
        assert made.service.stop() == 0
    for port in made.ports.values():
        port.release()


@pytest.fixture(scope="module")
def token(site: Site) -> str:
    """Register the first account, with its code from the journal, and give it a token."""
    [code] = re.findall(r"needs the code (\S+)", site.service.log)
    with Browser(base_url=f"http://127.0.0.1:{site.port('app')}", follow_redirects=True) as alice:
        alice.headers["Host"] = HOST
        names = {"username": "alice", "display_name": "Alice", "invite": code}
        alice.submit("/register", password=PASSWORD, password_again=PASSWORD, **names)
    return site.console(".venv/bin/flask --app test_mongo create-token alice --label test").split()[-1]


@contextmanager
def nginx(site: Site) -> Iterator[None]:
    folder = f"/etc/letsencrypt/live/{HOST}"
    site.machine.run(
        f"mkdir -p {folder} && openssl req -x509 -newkey rsa:2048 -nodes -subj /CN={HOST} "
        f"-keyout {folder}/privkey.pem -out {folder}/fullchain.pem"
    )
    text = block("A VPS with systemd", 5)
    ports = {"listen 443": f"listen {site.port('https')}", "listen 80": f"listen {site.port('http')}"}
    site.install("/etc/nginx/conf.d/chatroom.conf", text, **ports, **{":5000": f":{site.port('app')}"})
    site.machine.run("nginx -t")
    with site.machine.daemon("nginx -g 'daemon off;'"):
        yield


@contextmanager
def caddy(site: Site) -> Iterator[None]:
    options = f"admin off\nlocal_certs\nskip_install_trust\ndefault_sni {HOST}\n"
    options += f"http_port {site.port('http')}\nhttps_port {site.port('https')}\n"
    text = f"{{\n{options}}}\n{block('A VPS with systemd', 4)}"
    site.install("/etc/caddy/Caddyfile", text, **{":5000": f":{site.port('app')}"})
    site.machine.run("caddy validate --config /etc/caddy/Caddyfile")
    with site.machine.daemon("caddy run --config /etc/caddy/Caddyfile"):
        yield


def test_the_unit_is_valid_and_leaves_little_exposed(machine: Machine) -> None:
    path = "/etc/systemd/system/chatroom.service"
    assert machine.run(f"systemd-analyze verify {path}") == ""
    machine.run(f"systemd-analyze security --offline=true --threshold={MOST_EXPOSED} {path}")


def test_the_console_works_as_the_user_of_the_server_and_no_other(site: Site, token: str) -> None:
    assert "alice" in site.machine.run(block("The console"))
    code, said = site.machine.try_to_run("cd /srv/chatroom && .venv/bin/flask --app test_mongo create-invite")
    assert code == 1
    assert "Run: runuser -u chatroom -- " in said
    assert not site.machine.run("find /var/lib/chatroom ! -user chatroom")


@pytest.mark.parametrize("proxy", [nginx, caddy])
def test_a_proxy_passes_everything(site: Site, token: str, proxy: type) -> None:
    """Ten files of 25 MB, the address of the client, and a websocket that was idle for 70 seconds."""
    bearer = {"Authorization": f"Bearer {token}"}
    way_in = httpx.HTTPTransport(verify=False, local_address=CLIENT)
    with proxy(site), Browser(base_url=f"https://127.0.0.1:{site.port('https')}", transport=way_in) as client:
        client.headers.update({"Host": HOST, "X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "http"})

        def is_up() -> bool:
            try:
                return client.get("/readyz").status_code == 200
            except httpx.HTTPError:
                return False

        wait_until(is_up)
        page = client.get("/login")
        assert page.headers["Strict-Transport-Security"]
        plain = httpx.get(f"http://127.0.0.1:{site.port('http')}/login", headers={"Host": HOST})
        assert plain.status_code in {301, 308}
        assert plain.headers["Location"].startswith("https://")

        client.submit("/login", username=f"nobody-{proxy.__name__}", password="wrong")
        failures = [json.loads(line)["address"] for line in site.service.log.splitlines() if "a log-in failed" in line]
        assert set(failures) == {CLIENT}
        client.submit("/login", username="alice", password=PASSWORD)
        assert all(cookie.secure for cookie in client.cookies.jar)
        ten = [("files", (f"{proxy.__name__}{number}.bin", bytes(25_000_000))) for number in range(10)]
        client.timeout = httpx.Timeout(PATIENCE_SECONDS)
        assert client.say("Ten files", ten).status_code == 303
        assert f"{proxy.__name__}9.bin" in client.get("/chatroom").text
        upload = client.post(
            "/api/rooms/lobby/files?name=large.bin",
            content=os.urandom(25_000_000),
            headers={**bearer, "Content-Type": "application/octet-stream"},
        )
        assert upload.status_code == 201, upload.text

        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        address, way = f"wss://{HOST}/live?room=lobby", socket.create_connection(("127.0.0.1", site.port("https")))
        with connect(address, sock=way, ssl=trusting, additional_headers=bearer, ping_interval=None) as live:
            while '"presence"' not in str(live.recv(timeout=10)):
                pass
            with pytest.raises(TimeoutError):
                live.recv(timeout=IDLE_SECONDS)
            text = {"client_id": f"after-{proxy.__name__}", "text": "still here"}
            assert client.post("/api/rooms/lobby/messages", json=text, headers=bearer).status_code == 201
            assert "still here" in str(live.recv(timeout=10))


def test_prometheus_reads_the_metrics_and_the_alerts(site: Site, token: str) -> None:
    target = {"scheme: https": "scheme: http", HOST: f"127.0.0.1:{site.port('app')}"}
    site.install("/etc/prometheus/test.yml", block("Metrics"), **target)
    for name in ("alerts.yml", "alerts.test.yml"):
        site.machine.write(f"/etc/prometheus/{name}", (ROOT / "docs/monitoring" / name).read_text())
    site.machine.run("cd /etc/prometheus && promtool check rules alerts.yml && promtool test rules alerts.test.yml")
    page = httpx.get(f"http://127.0.0.1:{site.port('app')}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    site.machine.write("/tmp/metrics", page)
    assert site.machine.run("promtool check metrics < /tmp/metrics") == ""
    settings = "global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [alerts.yml]\n"
    config = site.machine.root / "etc/prometheus/test.yml"
    config.write_text(settings + config.read_text())
    site.machine.run("promtool check config /etc/prometheus/test.yml")
    address = f"127.0.0.1:{site.port('prometheus')}"
    options = f"--storage.tsdb.path=/tmp/prometheus --web.listen-address={address}"

    def value(query: str) -> str:
        try:
            answer = httpx.get(f"http://{address}/api/v1/query", params={"query": query}).json()
        except httpx.HTTPError:
            return ""
        return answer["data"]["result"][0]["value"][1] if answer["data"]["result"] else ""

    with site.machine.daemon(f"prometheus --config.file=/etc/prometheus/test.yml {options}"):
        wait_until(lambda: value('up{job="chatroom"}') == "1")
        assert value("chatroom_database_up") == "1"
        assert value("chatroom_users") == "1"
        wait_until(lambda: len(httpx.get(f"http://{address}/api/v1/rules").json()["data"]["groups"][0]["rules"]) == 5)


@pytest.fixture(scope="module")
def backup(site: Site, token: str) -> None:
    site.console(f"sh -ec '{block('Backups')}'")


@pytest.mark.usefixtures("backup")
def test_a_backup_every_night_and_its_restore(site: Site) -> None:
    machine = site.machine
    for day in range(1, 17):
        machine.run(f"install -d -o chatroom {BACKUPS}/2026-01-{day:02}")
    machine.write("/etc/cron.daily/chatroom", block("Backups", 1), mode=0o755)
    nightly = "run-parts --regex '^chatroom$' /etc/cron.daily"
    assert machine.run(nightly, environ=CRON) == ""
    kept = machine.run(f"ls {BACKUPS}").split()
    assert len(kept) == 14
    assert {"2026-11-21", "2026-01-16"} <= set(kept)
    code, said = machine.try_to_run(nightly, environ=CRON)
    assert code == 1
    assert "Error: " in said  # the folder of this day exists already
    assert machine.run(f"ls {BACKUPS}").split() == kept
    assert machine.run(f"find {BACKUPS}/2026-11-21 -type f -perm /077") == ""
    assert "messages" in site.console(f"sh -ec '{block('Restore')}'")
    machine.run(command("rsync -a ").replace("backup@elsewhere:chatroom/", "/tmp/elsewhere/"))
    assert machine.run("ls /tmp/elsewhere").split() == kept


def test_an_update(site: Site) -> None:
    repository = "/repository"
    who = "git -c user.name=A -c user.email=a@example.org"
    site.machine.run(f"cd {repository} && {who} commit --quiet --allow-empty --message 'A newer version'")
    site.machine.run(block("Update"))
    site.console(f"sh -ec '{block('Update', 1)}'")
    assert "A newer version" in site.machine.run("cd /srv/chatroom && git log -1")


@pytest.mark.usefixtures("backup")
def test_a_way_back_to_an_older_version_and_the_next_update(site: Site) -> None:
    older = site.machine.run("cd /srv/chatroom && git rev-parse --short HEAD~1").strip()
    site.machine.run(block("Go back a version").replace("<the older version>", older))
    assert older in site.machine.run("cd /srv/chatroom && git log -1 --oneline")
    site.machine.run(f"cd /srv/chatroom && {command('git checkout main')}\n{block('Update')}")
    assert older not in site.machine.run("cd /srv/chatroom && git log -1 --oneline")


@pytest.mark.usefixtures("backup")
def test_a_restore_into_an_empty_folder_brings_the_site_back(site: Site) -> None:
    assert site.service.stop() == 0
    site.machine.run("mkdir /srv/away && mv /var/lib/chatroom/* /srv/away/")
    site.console(f"sh -ec '{command('.venv/bin/flask --app test_mongo restore ')}'")
    with site.machine.service(UNIT, PORT=str(site.port("app"))) as service:
        assert "READY=1" in service.hear()
        router = Routed({"https": f"http://127.0.0.1:{site.port('app')}"})
        with Browser(base_url=f"https://{HOST}", transport=router, headers={"X-Forwarded-Proto": "https"}) as alice:
            assert alice.submit("/login", username="alice", password=PASSWORD).status_code == 303
            assert alice.get("/chatroom").status_code == 200
        assert service.stop() == 0
