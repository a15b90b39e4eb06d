from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from chatroom.base.models import Author, File, Message
from chatroom.messages.markdown.rendering import render
from chatroom.web.messages.listing import LONGEST_EXCERPT, excerpt_of

NOW = datetime(2026, 11, 21, tzinfo=UTC)
MESSAGE = Message(
    id="0" * 24, sequence=1, revision=1, author=Author("u", "Ann"), client_id="c", text="", html="", sent_at=NOW
)


def excerpt(**details: Any) -> str:
    return excerpt_of(msgspec.structs.replace(MESSAGE, **details))


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hello <strong>you</strong></p>\n<p>there</p>", "Hello you there"),
        ("<p>1 &lt; 2 &amp; &quot;3&quot;</p>", '1 < 2 & "3"'),
        ('<p><a href="https://example.org" title="a">b</a></p>', "b"),
        ("<pre><code>x = 1\n  y = 2</code></pre>", "x = 1 y = 2"),
        (render("so $x^2 < 1$ is"), "so $x^2 < 1$ is"),
    ],
)
def test_one_line_of_plain_text(html: str, text: str) -> None:
    assert excerpt(html=html) == text


def test_it_is_bounded() -> None:
    assert excerpt(html=f"<p>{'x' * 5000}</p>") == "x" * LONGEST_EXCERPT + "…"


def test_of_a_deleted_message_there_is_nothing() -> None:
    assert excerpt(deleted_at=NOW) == "This message was deleted."


def test_of_a_file_its_name() -> None:
    assert excerpt(files=(File(id="f", name="plan.pdf", type="application/pdf", size=1),)) == "plan.pdf"
