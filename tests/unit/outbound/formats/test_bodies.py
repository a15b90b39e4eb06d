"""Bodies as the documents of other programs show them, and what becomes of them."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatroom.base.errors import Refused
from chatroom.messages.markdown.rendering import names_in, render
from chatroom.names import fold
from chatroom.outbound.formats.bodies import FORMATS, HELP, read_form, read_json, read_plain
from chatroom.outbound.formats.shapes import MOST_ITEMS

MOST = 4000


def text_of(body: Any, most: int = MOST) -> str:
    return read_json(json.dumps(body).encode(), most).text


def block(kind: str, **fields: Any) -> dict[str, Any]:
    return {"blocks": [{"type": kind, **fields}]}


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": text}


def rich(kind: str, *elements: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return block("rich_text", elements=[{"type": f"rich_text_{kind}", "elements": elements, **fields}])


def word(text: str, **style: bool) -> dict[str, Any]:
    return {"type": "text", "text": text, "style": style}


def section(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": elements}


BODIES: dict[str, tuple[Any, str]] = {
    "a text": ({"text": "hello"}, "hello"),
    "null for what is not there": ({"text": "hello", "attachments": None, "username": None, "blocks": None}, "hello"),
    "a number as a text": ({"text": 5}, "5"),
    "a channel and a thread": ({"text": "hello", "channel": "#ops", "thread_ts": "1.2", "unknown": [{}]}, "hello"),
    "a link": ({"text": "<https://ci.example/1|Build 1> ok"}, "[Build 1](https://ci.example/1) ok"),
    "no markup": ({"text": "*a* <https://a.example|b>", "mrkdwn": False}, r"\*a\* [b](https://a.example)"),
    "a client id": ({"text": "*a* &amp;", "client_id": "c1"}, "*a* &amp;"),
    "only a fallback": ({"attachments": [{"fallback": "Disk *full*"}]}, r"Disk \*full\*"),
    "a text and a fallback": ({"attachments": [{"fallback": "Disk", "text": "Disk full on db1"}]}, "Disk full on db1"),
    "an attachment": (
        {
            "text": "Deployed",
            "attachments": [
                {
                    "color": "#36a64f",
                    "fallback": "not shown",
                    "pretext": "Before *it*",
                    "author_name": "Ann",
                    "author_link": "https://ann.example",
                    "title": "Release_1 [x]",
                    "title_link": "https://r.example",
                    "text": "It _works_",
                    "fields": [
                        {"title": "Priority", "value": "High", "short": True},
                        {"title": "Log", "value": "a\nb"},
                    ],
                    "image_url": "https://i.example/a.png",
                    "thumb_url": "https://i.example/b.png",
                    "footer": "CI",
                    "ts": 123456789,
                    "actions": [{"type": "button", "text": "Open", "url": "https://o.example"}],
                },
                {"text": "second"},
            ],
        },
        "Deployed\n\nBefore **it**\n\n[Ann](https://ann.example)\n\n**[Release_1 [x]](https://r.example)**\n\n"
        "It _works_\n\n**Priority**: High\n**Log**:\na\nb\n\n[Open](https://o.example)\n\n<https://i.example/a.png>\n\n"
        "CI\n\nsecond",
    ),
    "blocks instead of the text": ({"text": "fallback"} | block("section", text=mrkdwn("*new*")), "**new**"),
    "blocks that are unknown": ({"text": "fallback"} | block("call", call_id="R1"), "fallback"),
    "blocks in an attachment": ({"attachments": [block("section", text=plain("*new*"))]}, r"\*new\*"),
    "a section": (
        block(
            "section",
            text=mrkdwn("a"),
            fields=[mrkdwn("*b*\n1"), plain("c")],
            accessory={"type": "button", "text": plain("Open"), "url": "https://o.example"},
        ),
        "a\n\n**b**\n1\n\nc\n\n[Open](https://o.example)",
    ),
    "a header": (block("header", text=plain("New request")), "**New request**"),
    "a divider": ({"blocks": [{"type": "header", "text": plain("a")}, {"type": "divider"}]}, "**a**\n\n———"),
    "a context": (
        block(
            "context",
            elements=[{"type": "image", "image_url": "https://i.example/c.png", "alt_text": "cat"}, mrkdwn("by *A*")],
        ),
        "[cat](https://i.example/c.png) by **A**",
    ),
    "a picture": (
        block("image", image_url="https://i.example/c.png", alt_text="", title=plain("Load")),
        "[Load](https://i.example/c.png)",
    ),
    "actions": (
        block(
            "actions",
            elements=[
                {"type": "button", "text": plain("A"), "url": "https://a.example"},
                {"type": "button", "text": plain("B")},
            ],
        ),
        "[A](https://a.example)",
    ),
    "Markdown": (block("markdown", text="**a** *b*"), "**a** *b*"),
    "rich words": (
        rich(
            "section",
            word("Hi "),
            word(" bold* ", bold=True),
            word("x", italic=True, strike=True),
            word(" `c` ", code=True),
            {"type": "link", "url": "https://l.example", "text": "l"},
            {"type": "link", "url": "https://m.example"},
            {"type": "emoji", "name": "tada"},
            {"type": "emoji", "name": "our_own"},
            {"type": "user", "user_id": "U1"},
            {"type": "broadcast", "range": "here"},
            {"type": "channel", "channel_id": "C1"},
            {"type": "date", "timestamp": 1700000000},
            {"type": "unknown"},
        ),
        r"Hi  **bold\*** _~~x~~_ `'c'` [l](https://l.example)<https://m.example>🎉:our_own:\@U1\@here#C1"
        "2023-11-14 22:13 UTC",
    ),
    "a rich list": (rich("list", section(word("a")), section(word("b")), style="ordered"), "1. a\n1. b"),
    "a rich list in a list": (
        block(
            "rich_text",
            elements=[
                {"type": "rich_text_list", "style": "bullet", "indent": 0, "elements": [section(word("a"))]},
                {"type": "rich_text_list", "style": "ordered", "indent": 1, "elements": [section(word("b"))]},
                {"type": "rich_text_list", "style": "bullet", "indent": 0, "elements": [section(word("c"))]},
                section(word("d")),
            ],
        ),
        "- a\n    1. b\n- c\n\nd",
    ),
    "a rich quotation": (rich("quote", word("a\nb")), "> a\n> b"),
    "rich code": (rich("preformatted", word("a\n```b")), "```\na\n'''b\n```"),
    "Discord": (
        {
            "content": "hi **x** <@!123> <@&4> <#5> <t:1700000000:R> <a:party:123> &amp;",
            "tts": False,
            "embeds": [
                {
                    "title": "T",
                    "url": "https://t.example",
                    "description": "d *i*",
                    "color": 5,
                    "author": {"name": "A", "url": None},
                    "fields": [{"name": "f", "value": 1, "inline": True}, {"name": "g", "value": "2\n3"}],
                    "image": {"url": "https://p.example/x.png"},
                    "footer": {"text": "foot"},
                }
            ],
        },
        "hi **x** \\@123 \\@4 #5 2023-11-14 22:13 UTC :party: &amp;\n\nA\n\n**[T](https://t.example)**\n\nd *i*\n\n"
        "**f**: 1\n**g**:\n2\n3\n\n<https://p.example/x.png>\n\nfoot",
    ),
    "Alertmanager": (
        {
            "version": "4",
            "groupKey": '{}:{alertname="DiskFull"}',
            "truncatedAlerts": 3,
            "status": "firing",
            "receiver": "chat",
            "groupLabels": {"alertname": "DiskFull"},
            "commonLabels": {"alertname": "DiskFull", "severity": "page"},
            "commonAnnotations": {},
            "externalURL": "http://am.example:9093",
            "alerts": [
                {
                    "status": "firing",
                    "labels": {"alertname": "DiskFull", "severity": "page", "instance": "db1", "__x__": "y"},
                    "annotations": {"summary": "97 % on db1", "description": "Since *noon*"},
                    "startsAt": "2026-11-21T01:02:03Z",
                    "generatorURL": "http://p.example/graph?g0.expr=up(a)",
                },
                {
                    "status": "resolved",
                    "labels": {"alertname": "DiskFull", "severity": "page", "instance": "db2"},
                    "annotations": {},
                    "generatorURL": "",
                },
            ],
        },
        "**[[FIRING:2] DiskFull](http://am.example:9093)**\n\n🔥 **DiskFull**: 97 % on db1\nSince **noon**\n"
        "`instance=db1`\n[Source](<http://p.example/graph?g0.expr=up(a)>)\n\n✅ **DiskFull**\n"
        "`instance=db2`\n\n… and 3 more alerts",
    ),
    "Grafana": (
        {
            "receiver": "My Webhook",
            "status": "firing",
            "orgId": 1,
            "alerts": [
                {
                    "status": "firing",
                    "labels": {"alertname": "High memory usage", "team": "blue"},
                    "annotations": {"summary": "in zone us-1", "runbook_url": "https://r.example/1"},
                    "dashboardURL": "https://g.example/d/1",
                    "panelURL": "https://g.example/d/1?viewPanel=2",
                    "silenceURL": "https://g.example/silence",
                    "values": {"B": 44.2, "C": 1},
                }
            ],
            "commonLabels": {"team": "blue"},
            "externalURL": "https://g.example/",
            "version": "1",
            "title": "[FIRING:1]  (High memory usage blue)",
            "state": "alerting",
            "message": "**Firing**\n\nLabels: and so on",
        },
        "**[[FIRING:1] (High memory usage blue)](https://g.example/)**\n\n🔥 **High memory usage**: in zone us-1\n"
        "`team=blue`\n[Dashboard](https://g.example/d/1) · [Panel](https://g.example/d/1?viewPanel=2) · "
        "[Silence](https://g.example/silence) · [Runbook](https://r.example/1)",
    ),
    "an alert that says nothing": ({"alerts": [{}]}, "**[ALERT:1]**"),
    "an old Grafana": (
        {
            "title": "[Alerting] CPU",
            "ruleUrl": "https://g.example/1",
            "state": "alerting",
            "message": "Too *high*",
            "evalMatches": [],
        },
        "**[[Alerting] CPU](https://g.example/1)**\n\nToo **high**",
    ),
    "apprise": ({"version": "1.0", "title": "T", "message": "M", "attachments": [], "type": "info"}, "**T**\n\nM"),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_becomes_a_text(name: str) -> None:
    body, text = BODIES[name]
    assert text_of(body) == text


def test_the_program_says_who_it_is() -> None:
    said = read_json(b'{"text": "a", "username": "CI", "icon_emoji": ":rocket:"}', MOST)
    assert (said.username, said.icon) == ("CI", "🚀")
    said = read_json(b'{"content": "a", "username": "CI", "avatar_url": "https://a.example/a.png"}', MOST)
    assert (said.username, said.icon) == ("CI", "")
    assert read_json(b'{"text": "a", "icon_emoji": ":no_such:"}', MOST).icon == ""


@pytest.mark.parametrize(
    "body",
    [
        {"text": "hi", "attachments": [{"pretext": "@bob", "text": "@bob", "title": "@bob", "footer": "@bob"}]},
        {"text": "<!channel> <!here> <!everyone> <@U1|bob> <@bob> <!subteam^S1|@bob>"},
        {"text": "hi @room", "username": "CI"},
        {"text": "hi @room\u4f60\u597d", "username": "CI"},
        {"text": "```\nhi", "attachments": [{"text": "```\n@bob\n```"}, {"text": "`@bob` @bob"}]},
        {"text": "~~~\nhi", "attachments": [{"text": "~~~\n@bob"}]},
        {"attachments": [{"fallback": "@bob"}]},
        {"text": "`a\n\n@room` b", "channel": "x"},
        block("section", text=mrkdwn("@bob <@U1|bob>"), fields=[plain("@bob")]),
        rich("section", word("@"), word("bob"), {"type": "user", "user_id": "bob"}),
        {"embeds": [{"title": "@bob", "description": "@bob", "fields": [{"name": "@bob", "value": "@bob"}]}]},
        {"alerts": [{"labels": {"alertname": "@bob"}, "annotations": {"summary": "@bob", "description": "@room"}}]},
        {"title": "@bob", "message": "@room"},
    ],
    ids=str,
)
def test_what_a_program_quotes_mentions_nobody(body: Any) -> None:
    """P14."""
    named = {fold(name) for possible in names_in(text_of(body)) for name in possible}
    assert named <= {"channel", "everyone"}  # nobody can have these names


def test_the_own_text_can_mention() -> None:
    assert names_in(text_of({"text": "@bob and @room: hello"})) == [["bob"], ["room"]]
    assert names_in(text_of({"text": "@bob: hello", "username": "CI", "attachments": [{"text": "@eve"}]})) == [["bob"]]
    assert names_in(text_of({"content": "@bob: hello"})) == [["bob"]]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, HELP),
        ({"words": "a"}, HELP),
        ({"text": None}, HELP),
        (["text"], "array"),
        ("text", "str"),
        ({"text": {"$ne": 1}}, "$.text"),
        ({"text": "a", "client_id": "."}, "$.client_id"),
        ({"attachments": {"text": "a"}}, "$.attachments"),
        ({"attachments": [{"fields": [{}] * 10_000}]}, "$.attachments[0].fields"),
        ({"attachments": [{}] * (MOST_ITEMS + 1)}, "$.attachments"),
        ({"blocks": [5]}, "$.blocks[0]"),
        ({"embeds": [{"author": "a"}]}, "$.embeds[0].author"),
        ({"alerts": [{"labels": []}]}, "$.alerts[0].labels"),
        ({"alerts": [{}] * 1001}, "$.alerts"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_body_that_is_wrong_is_refused_with_the_place_and_what_to_send(body: Any, says: str) -> None:
    """P16."""
    with pytest.raises(Refused) as refusal:
        text_of(body)
    assert refusal.value.reason == "invalid"
    assert says in str(refusal.value)
    assert "payload" in str(refusal.value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b"\xff",
        b'{"blocks":' + b'[{"elements":' * 20_000,
        b'{"a":' * 100_000,
    ],
    ids=lambda data: str(data)[:20],
)
def test_what_is_no_json_is_refused(data: bytes) -> None:
    """P16."""
    with pytest.raises(Refused):
        read_json(data, MOST)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b'\xef\xbb\xbf{"text": "hello"}', "hello"),
        ('{"text": "gr\u00fcn"}'.encode("cp1252"), "gr\u00fcn"),
        (rb'{"text": "a \ud83d"}', "a \ufffd"),
        (rb'{"text": "a \ude80\ud83d\ude80 \\ud83d"}', "a \ufffd\U0001f680 \\ud83d"),
    ],
)
def test_what_other_programs_encode_wrongly_is_read(data: bytes, text: str) -> None:
    assert read_json(data, MOST).text == text


def test_other_ways_to_send() -> None:
    assert read_form({"text": "hello"}, MOST).text == "hello"
    assert read_form({"payload": '{"text": "*hello*"}'}, MOST).text == "**hello**"
    assert read_form({"payload_json": '{"content": "hello"}'}, MOST).text == "hello"
    assert read_plain(b"*hello* &amp; @room", MOST).text == "*hello* &amp; @room"
    assert read_plain(b'{"text": "*hello*"}', MOST).text == "**hello**"
    assert read_plain(b"{hello", MOST).text == "{hello"
    assert read_plain(b"Gr\xfc\xdfe", MOST).text == "Grüße"
    with pytest.raises(Refused):
        read_plain(b"\xff\x81", MOST)


def test_a_long_text_is_shortened() -> None:
    assert text_of({"text": "word " * 1000}, 100).endswith("word\n\n… (shortened)")
    assert len(text_of({"attachments": [{"text": "word " * 9000}] * 5})) <= MOST
    assert read_plain(b"x" * 5000, 100).text.endswith("… (shortened)")
    assert text_of({"text": "x" * 100}, 0) == "x" * 100
    cut_in_code = text_of({"message": "`" + "@bob " * 100 + "`"}, 100)
    assert len(cut_in_code) <= 100
    assert names_in(cut_in_code) == []


@pytest.mark.parametrize(
    "piece",
    ["[", "`", "```", "*a ", "<", "<a|", ">", "@a ", "~", " ", "\n", "_a_ ", "[a](", "https://", ":a:", "&lt;", "|-"],
)
def test_no_text_takes_long(piece: str) -> None:
    """P16: the test would hang, not fail. Patterns that go back and forth take minutes for such a text."""
    assert len(text_of({"text": piece * (200_000 // len(piece)), "username": "CI"})) <= MOST


VALUES = ["section", "rich_text", "rich_text_section", "text", "link", "https://a.example", "@room", "```", "<@U1|x>"]
NAMES = [
    "fields",
    "elements",
    "type",
    "value",
    "labels",
    "annotations",
    "url",
    "accessory",
    "username",
    "style",
    "text",
]
NAMES += ["timestamp", "icon_emoji", "client_id", "mrkdwn", "image_url", "author", "name", "pretext", "truncatedAlerts"]
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
shapes = st.recursive(
    scalars | st.text(max_size=20) | st.sampled_from(VALUES),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*FORMATS, *NAMES]), inner, max_size=6),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(body=st.dictionaries(st.sampled_from([*FORMATS, "username"]), shapes, max_size=5))
def test_any_body_is_read_or_refused(body: dict[str, Any]) -> None:
    """P16."""
    with suppress(Refused):
        text = text_of(body, 200)
        assert len(text) <= 200
        render(text)
