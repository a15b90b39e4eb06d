"""Requests that no browser sends: odd framing, and odd values where an address takes one."""

import itertools

from tests.attack import raw
from tests.attack.attack import Ground, Outcome, attack

MARK = "/smuggled"
SMUGGLED = f"GET {MARK} HTTP/1.1\r\nHost: x\r\n\r\n"
LENGTHS = ["+5", "-1", "5,5", "5, 6", "0x5", " 5 ", "5.0", "", "9" * 30, "1e1", "\t5", "५"]
CODINGS = [
    "chunked, identity",
    "identity",
    "xchunked",
    " chunked",
    "chunked,chunked",
    "gzip, chunked",
    "\x0bchunked",
    "Chunked\x00",
]
CHUNKS = [
    "zz\r\n\r\n",
    "-1\r\n",
    "0x1\r\na\r\n0\r\n\r\n",
    "f" * 17 + "\r\n",
    "1\na\n0\n\n",
    "1 \r\na\r\n0\r\n\r\n",
    "1;\r\na\r\n0\r\n\r\n",
    "01\r\na\r\n0\r\n\r\n",
]


def framing_tricks() -> dict[str, str]:
    """Requests by what is wrong with them."""
    post = "POST /login HTTP/1.1\r\nHost: x\r\n"
    found = {f"length {value!r}": f"{post}Content-Length: {value}\r\n\r\nhello{SMUGGLED}" for value in LENGTHS}
    found |= {f"coding {value!r}": f"{post}Transfer-Encoding: {value}\r\n\r\n0\r\n\r\n{SMUGGLED}" for value in CODINGS}
    found |= {f"chunk {value[:12]!r}": f"{post}Transfer-Encoding: chunked\r\n\r\n{value}{SMUGGLED}" for value in CHUNKS}
    both = "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n"
    found |= {
        "length and coding": f"{post}{both}\r\n0\r\n\r\n{SMUGGLED}",
        "two lengths": f"{post}Content-Length: 0\r\nContent-Length: 44\r\n\r\n{SMUGGLED}",
        "space before the colon": f"{post}Content-Length : 44\r\n\r\n{SMUGGLED}",
        "folded header": f"{post}Content-Length:\r\n 44\r\n\r\n{SMUGGLED}",
        "bare LF": f"POST /login HTTP/1.1\nHost: x\nContent-Length: 0\n\n{SMUGGLED}",
        "bare CR": f"{post}X: a\rContent-Length: 44\r\n\r\n{SMUGGLED}",
        "zero in a header": f"{post}X: a\x00b\r\n\r\n",
        "HTTP/0.9": "GET /login\r\n\r\n",
        "HTTP/3.0": "GET /login HTTP/3.0\r\nHost: x\r\n\r\n",
        "odd method": "G\x00T /login HTTP/1.1\r\nHost: x\r\n\r\n",
        "no path": "GET  HTTP/1.1\r\nHost: x\r\n\r\n",
        "two spaces": "GET  /login  HTTP/1.1\r\nHost: x\r\n\r\n",
        "upgrade to h2c": "GET /login HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\n"
        "Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AA\r\n\r\n",
        "a request in a body": f"GET /login HTTP/1.1\r\nHost: x\r\nContent-Length: {len(SMUGGLED)}\r\n\r\n{SMUGGLED}",
    }
    return found


@attack("framing", "held", is_remote=True, is_brief=False)
def framing(ground: Ground) -> Outcome:
    """Requests whose length two servers could read differently"""
    opened, tricks = [], framing_tricks()
    for name, request in tricks.items():
        statuses = raw.statuses(raw.exchange(ground.site, request.encode("latin-1", "replace"), 5))
        if any(status >= 500 for status in statuses):
            opened.append(f"{name}: {statuses}")
        if name.startswith(("length", "coding", "two lengths", "space")) and len(statuses) > 1 and statuses[0] < 400:
            opened.append(f"{name}: a second request was read out of it, {statuses}")
    return Outcome(len(tricks), opened)


ODD = [
    *("%00", "%ff", "%ed%a0%80", "%F0%9F%98%80", "-1", "0", "1e9", "NaN", "[]", "%7B%7D", "%24ne", "true"),
    *(
        "..%2f..%2fetc%2fpasswd",
        "%3Cscript%3E",
        "%E2%80%AE",
        "%0d%0aX:1",
        "{0.__class__}",
        "%25s%25n",
        "*",
        "%22",
        "%27",
    ),
    *("9" * 40, "a" * 5000, "(" * 50),
]
QUESTIONS = {
    "/people": "q",
    "/rooms": "after id",
    "/search": "q before page",
    "/login": "next",
    "/register": "invite",
    "/chatroom/lobby": "before around",
    "/chatroom/lobby/messages": "before after",
    "/chatroom/lobby/export": "from format",
    "/api/rooms/lobby/messages": "after before since around limit format",
    "/api/rooms/lobby/members": "q",
    "/api/search": "q before",
    "/live": "room after",
    "/socket.io/": "EIO sid",
    "/rooms/lobby/record": "before",
    "/admin/people": "q",
    "/admin/audit": "before act",
}
PLACES = [
    "/chatroom/{}",
    "/people/{}",
    "/files/{}/a",
    "/files/{}/thumbnail",
    "/avatars/{}/1",
    "/avatars/{}.css",
    "/join/{}",
    "/reset/{}",
    "/static/{}",
]


@attack("odd-parameters", "low")
def odd_parameters(ground: Ground) -> Outcome:
    """Odd values wherever an address takes one: no error of the server's"""
    asker, opened, tries = ground.administrator, [], 0
    before = len(ground.site.log)
    asked = [f"{path}?{name}={value}" for path, names in QUESTIONS.items() for name in names.split() for value in ODD]
    asked += [place.format(value) for place, value in itertools.product(PLACES, ODD)]
    for address in asked if ground.is_long else asked[::3] + [each for each in asked if "%00" in each]:
        head = raw.head(ground.site, "GET", address, Cookie=asker.cookie, Connection="close")
        statuses = raw.statuses(raw.exchange(ground.site, head))
        tries += 1
        if not statuses or statuses[0] >= 500:
            opened.append(f"{address[:80]}: {statuses}")
    if count := ground.site.log_after(before).count("Traceback"):
        opened.append(f"{count} tracebacks in the log")
    return Outcome(tries, opened)
