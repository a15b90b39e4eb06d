"""Where one is led: by the address that a log-in goes on to, by what a log-in tells; and where webhooks are led."""

import secrets
import socket
import statistics
import threading
import time
from contextlib import suppress

from tests.attack.attack import Ground, Outcome, attack
from tests.attack.person import PASSWORD, Person

NEXT = [
    *[
        "//evil.test",
        "///evil.test",
        "/\\evil.test",
        "\\\\evil.test",
        "https://evil.test",
        "http:evil.test",
        "https:/evil.test",
    ],
    *[
        "javascript:alert(1)",
        "data:text/html,a",
        "/%09/evil.test",
        "//evil.test@x",
        "/.//evil.test",
        "/..//evil.test",
        "//",
    ],
    *["/%2f/evil.test", "/%5cevil.test", "/;//evil.test", "?//evil.test", "/chatroom/../..//evil.test"],
    *(" //evil.test", "\t//evil.test", "/\t/evil.test", "/\n/evil.test", "/\x00/evil.test", "/\u2028/evil.test"),
    "\u3000//evil.test",
]


@attack("next", "held", is_remote=True)
def leading_away(ground: Ground) -> Outcome:
    """Being led to another site by the address that a log-in goes on to"""
    person, opened = ground.person("next"), []
    for value in NEXT:
        location = Person(ground.site, person.username).log_in(next=value).headers.get("location", "")
        local = location.removeprefix(ground.site.url)
        if not local.startswith("/") or local.startswith(("//", "/\\", "/\t", "/\n")):
            opened.append(f"{value!r} leads to {location!r}")
    return Outcome(len(NEXT), opened)


@attack("who-is-there", "held", is_remote=True)
def who_is_there(ground: Ground) -> Outcome:
    """Telling from a log-in whether a name has an account"""
    person = ground.person("there")
    answers, tries = {}, ground.choose(4, 8)
    for name in (person.username, f"nobody{secrets.token_hex(4)}"):
        browser, took = Person(ground.site, name), []
        csrf = browser.csrf()
        for _ in range(tries):
            began = time.monotonic()
            answer = browser.browser.post(
                "/login", data={"csrf_token": csrf, "username": name, "password": PASSWORD + "x", "next": ""}
            )
            took.append(time.monotonic() - began)
        answers[name] = (answer.status_code, len(answer.text.replace(name, "")), statistics.median(took))
    there, nobody = answers.values()
    opened = (
        [f"answers differ: {there[:2]} and {nobody[:2]}"]
        if there[0] != nobody[0] or abs(there[1] - nobody[1]) > 400
        else []
    )
    return Outcome(2 * tries, opened, f"{1000 * there[2]:.0f} and {1000 * nobody[2]:.0f} ms")


WITHIN = [
    "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1.", "localhost", "LOCALHOST.", "0.0.0.0",
    "[::1]", "[::]", "[::ffff:127.0.0.1]", "[0:0:0:0:0:ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
    "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "[fec0::1]", "[ff02::1]", "10.0.0.1", "172.16.0.1", "192.168.0.1",
    "169.254.169.254", "169.254.170.2", "100.100.100.200", "100.64.0.1", "192.0.0.192", "198.18.0.1", "224.0.0.1",
    "240.0.0.1", "255.255.255.255", "user@127.0.0.1", "127.0.0.1#@example.org", "example.org@127.0.0.1",
    "168.63.129.16",
    "\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021", "foo.localhost", "localtest.me", "127.0.0.1.nip.io",
]  # fmt: skip


CLOUDS = {"169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "168.63.129.16", "[fd00:ec2::254]"}
"""Where machines in clouds are given their keys."""


@attack("webhook-targets", "low", is_brief=False)
def webhook_targets(ground: Ground) -> Outcome:
    """Webhooks to this machine, its network, and the addresses at which clouds give keys away"""
    reached: list[bytes] = []
    with socket.create_server(("", 0)) as listener:
        listener.settimeout(0.2)
        is_over = threading.Event()

        def listen() -> None:
            while not is_over.is_set():
                with suppress(OSError):
                    made, _ = listener.accept()
                    with made:
                        reached.append(made.recv(2000))

        thread = threading.Thread(target=listen)
        thread.start()
        port, accepted = listener.getsockname()[1], []
        for number in range(0, len(WITHIN), 15):
            person = ground.person("hooker")
            _, slug = person.make_room(f"Hooks {person.username}")
            for host in WITHIN[number : number + 15]:
                url = f"http://{host.replace('#', f':{port}/#')}:{port}/" if "#" in host else f"http://{host}:{port}/x"
                page = person.submit(f"/chatroom/{slug}/webhooks", kind="outgoing", name="out", url=url, trigger="")
                if page.status_code == 201:
                    accepted.append(host)
            person.say("told to nobody", room=slug)
        own = ground.person("hooker")
        _, slug = own.make_room(f"Hooks {own.username}")
        for address in own_addresses():
            page = own.submit(
                f"/chatroom/{slug}/webhooks",
                kind="outgoing",
                name="out",
                url=f"http://{address}:{port}/own",
                trigger="",
            )
            accepted += [address] if page.status_code == 201 else []
        own.say("told to nobody", room=slug)
        time.sleep(ground.choose(2.0, 10.0))  # the first delivery comes within a second
        is_over.set()
        thread.join()
    opened = [f"a delivery came: {each[:60]!r}" for each in reached]
    opened += [f"{host} is accepted" for host in accepted if host in {*CLOUDS, *own_addresses()}]
    return Outcome(
        len(WITHIN) + len(own_addresses()),
        opened,
        f"accepted: {', '.join(accepted) or 'none'}; {len(reached)} reached us",
    )


def own_addresses() -> list[str]:
    """By which address the machine is known elsewhere."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent
        except OSError:
            return []
        return [probe.getsockname()[0]]
