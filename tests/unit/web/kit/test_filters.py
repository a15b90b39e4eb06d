"""Links in a topic. tests/js/links.test.js checks the same texts in scripts."""

import json
import re
from pathlib import Path

from markupsafe import escape

from chatroom.web.kit.filters import ADDRESS, with_links

CASES = json.loads((Path(__file__).parents[3] / "corpus/topics.json").read_text())


def test_addresses_become_links_and_everything_else_is_escaped() -> None:
    for text, pieces in CASES:
        assert ADDRESS.split(text) == pieces
        shown = str(with_links(text))
        assert re.findall(r'<a href="([^"]*)" rel="noopener nofollow">', shown) == [
            str(escape(p)) for p in pieces[1::2]
        ]
        assert re.sub(r"<a [^>]*>|</a>", "", shown) == str(escape(text))
