"""Trust by position: who holds the database's port, who writes the last header, who comes first."""

import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx

from tests.attack import raw
from tests.attack.attack import Ground, Outcome, attack
from tests.attack.database import place_of
from tests.attack.impostor import Impostor, listeners
from tests.attack.person import Person

BAD_SETUP = 2
TRIES_FROM_AN_ADDRESS = 8


@attack("database-impostor", "high")
def database_impostor(ground: Ground) -> Outcome:
    """Another account of the machine binds the database's port before it does, and waits for its passwords"""
    opened: list[str] = []
    tries = ground.choose(1, 3)
    figure = ""
    for _ in range(tries):
        with ground.start("impostor", WEB_CONCURRENCY="2") as site:  # one process meets the dead mongod first
            impostor = Impostor(site)
            give_up_at = time.monotonic() + 40
            while site.exit_code is None and time.monotonic() < give_up_at and not impostor.secrets:
                if "is at http" in (site.folder / "out").read_text():
                    break
                time.sleep(0.05)
            impostor.stop()
            if impostor.secrets:
                opened.append(f"a password arrived in the clear, with {impostor.secrets[0]}")
            figure = f"port {'taken' if impostor.took_it else 'not named'}, {len(impostor.heard)} commands heard"
    opened += exposed(ground)
    return Outcome(tries + 1, opened, figure)


def exposed(ground: Ground) -> list[str]:
    """Where the running database can be reached by other accounts: TCP, or a socket that they can see."""
    found = []
    below = {pid: command for pid, command in ground.site.descendants().items() if Path(command[0]).name == "mongod"}
    if not below:
        return ["no mongod runs"]
    found += [f"mongod listens on TCP, port {port}" for port in listeners(set(below))]
    for command in below.values():
        place = place_of(command)
        if place and all(folder.stat().st_mode & 0o077 for folder in place.parents):
            found.append(f"others can reach {place}")
    return found


@attack("one-ipv6-network", "medium", settings={"TRUSTED_PROXIES": "1", "LOGIN_LIMIT_ADDRESS": "8 per hour"})
def one_ipv6_network(ground: Ground) -> Outcome:
    """Guessing from one IPv6 network, each time from another address of it"""
    statuses = []
    for number in range(TRIES_FROM_AN_ADDRESS + 6):
        address = {"X-Forwarded-For": f"2001:db8:1:2:{number:x}::{number + 1:x}"}
        stranger = Person(ground.site, f"nobody{number}", headers=address)
        statuses.append(stranger.log_in().status_code)
    limited = statuses.count(429)
    opened = [] if limited else [f"{len(statuses)} guesses, {TRIES_FROM_AN_ADDRESS} are allowed"]
    for spelling in (
        "::ffff:198.51.100.7",
        "198.51.100.7",
        "198.51.100.7:4711",
        "[2001:db8:9::1]:443",
        "2001:db8:9::1%eth0",
    ):
        answer = Person(ground.site, "nobody", headers={"X-Forwarded-For": spelling}).log_in()
        if answer.status_code >= 500:
            opened.append(f"{spelling}: {answer.status_code}")
    return Outcome(len(statuses) + 5, opened, f"{limited} refused")


@attack("hosts", "low", is_remote=True)
def hosts(ground: Ground) -> Outcome:
    """Requests without a host, with two, with one that is none"""
    refused = ["", "Host: a\r\nHost: b\r\n", "Host: a\r\nhOST: a\r\n"]
    odd = ["Host: a b\r\n", "Host: a/b\r\n", "Host: user@a\r\n", "Host: a,b\r\n", "Host:\r\n", "Host: \xff\r\n"]
    opened = []
    for line in [*refused, *odd]:
        answer = raw.exchange(ground.site, f"GET /login HTTP/1.1\r\n{line}Connection: close\r\n\r\n".encode("latin-1"))
        statuses = raw.statuses(answer)
        if (line in refused and statuses[:1] == [200]) or any(status >= 500 for status in statuses):
            opened.append(f"{line!r}: {statuses}")
    return Outcome(len(refused) + len(odd), opened)


@attack("forged-proxies", "held", is_remote=True)
def forged_proxies(ground: Ground) -> Outcome:
    """Headers of a proxy that is not there"""
    forged = [
        {"X-Forwarded-For": "198.51.100.66"},
        {"X_Forwarded_For": "198.51.100.66"},
        {"X-Forwarded-Proto": "https"},
    ]
    forged += [
        {"Forwarded": "for=198.51.100.66;proto=https"},
        {"X-Forwarded-Host": "evil.test"},
        {"X-Real-Ip": "198.51.100.66"},
    ]
    person, opened = ground.person("forged"), []
    for headers in forged:
        answer = Person(ground.site, person.username, headers=headers).log_in()
        if "__Host-" in answer.headers.get("set-cookie", "") and ground.site.url.startswith("http:"):
            opened.append(f"{headers}: the cookie is one of https")
        if "evil.test" in answer.headers.get("location", ""):
            opened.append(f"{headers}: it leads there")
    if "198.51.100.66" in person.get("/account").text:
        opened.append("a session is from a forged address")
    return Outcome(len(forged), opened)


@attack("guardian-killed", "low", is_alone=True, is_brief=False)
def guardian_killed(ground: Ground) -> Outcome:
    """kill -9 of the process that watches the database"""
    site = ground.site
    guardians = [pid for pid, command in site.descendants().items() if any("guardian" in word for word in command)]
    if not guardians:
        return Outcome(0, [], "there is none")
    os.kill(guardians[0], signal.SIGKILL)
    until = time.monotonic() + 30
    status = 0
    while time.monotonic() < until and site.exit_code is None:
        time.sleep(0.3)
        with suppress(httpx.HTTPError):
            status = httpx.get(f"{site.url}/readyz", timeout=10, trust_env=False).status_code
            if status == 200 and len(site.descendants()) > 1:
                return Outcome(1, [], "it was started again")
    ended = site.exit_code
    return Outcome(
        1,
        [] if ended else [f"30 s later pages are answered with {status}"],
        f"the server ended with {ended}" if ended else "",
    )


@attack("first-at-once", "held", is_alone=True, is_brief=False)
def first_at_once(ground: Ground) -> Outcome:
    """Eight people register at the same moment on a new site: one is the administrator"""
    people = [Person(ground.site, f"first{number}") for number in range(8)]
    start = threading.Barrier(len(people))
    statuses: list[int] = []

    def register(person: Person) -> None:
        start.wait()
        with suppress(AssertionError):
            person.register()

    threads = [threading.Thread(target=register, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = [person.get("/admin").status_code for person in people]
    count = statuses.count(200)
    return Outcome(len(people), [] if count == 1 else [f"{count} administrators: {statuses}"], f"{count} administrator")
