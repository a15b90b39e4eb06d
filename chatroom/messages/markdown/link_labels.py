"""Show where a link leads if its label looks like the address of another host."""

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import urlsplit

import regex
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from chatroom.messages.markdown.inline_rules import ENDINGS

_host = re.compile(
    rf"(?:\w{{2,20}}://|www\.|(?<!\S)//(?=[^\s/]*\.))(?:[^\s/?#]*@)?([^\s/?#:]+)"
    rf"|(?<![\w@.-])((?:[\w-]+\.)+(?:{'|'.join(ENDINGS)})|(?:\d{{1,3}}\.){{3}}\d{{1,3}})(?![\w@-]|\.\w)"
    rf"|(?<![\w@./-])((?:[\w-]+\.)+[^\W\d_]{{2,}})/",
    re.IGNORECASE,
)
_full_stops = str.maketrans("\u3002", ".")
"""A browser reads the ideographic full stop in the name of a host as a dot."""

_invisible = regex.compile(r"\p{Default_Ignorable_Code_Point}")


def show_hosts(state: StateCore) -> None:
    """Add the host after each link whose label shows another host."""
    if "](" not in state.src:
        return
    for block in state.tokens:
        children = block.children or []
        if any(token.type == "link_open" and token.info != "auto" for token in children):
            block.children = list(_with_hosts(children))


def _with_hosts(tokens: list[Token]) -> Iterator[Token]:
    address, label = "", ""
    for token in tokens:
        yield token
        label += token.content
        if token.type == "link_open":
            address, label = str(token.attrs["href"]), ""
        elif token.type == "link_close" and (host := _hidden_host(address, label)):
            yield Token("text", "", 0, content=f" ({host})")


def _hidden_host(address: str, label: str) -> str:
    """Return the host of an address if the label shows another host, or ""."""
    if label.isascii() and "." not in label and "//" not in label:
        return ""
    try:
        host = urlsplit(address).hostname or address
    except ValueError:
        host = address
    readable = _invisible.sub("", unicodedata.normalize("NFKC", label)).translate(_full_stops)
    shown = [match[1] or match[2] or match[3] for match in _host.finditer(readable)]
    owners = {each.casefold().removeprefix("www.").strip(".,;!)'\"") for each in shown}
    return host if any(host != owner and not host.endswith(f".{owner}") for owner in owners) else ""
