"""The renderer: whatever is typed becomes harmless HTML, the same each time, in bounded time."""

import re
from functools import cache
from html.parser import HTMLParser
from time import thread_time

from chatroom.messages.markdown.rendering import render
from tests.fuzz import Broken

LONGEST = 4000
MOST_TIMES = 300
"""As long as an ordinary text of that length takes, in CPU time: with the same instruments, on the same machine."""

TAGS = {"p", "br", "em", "strong", "s", "code", "pre", "a", "ul", "ol", "li", "blockquote", "span", "h5", "h6"}
TAGS |= {"table", "thead", "tbody", "tr", "th", "td"}
MATH_TAGS = {"math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mstyle", "mpadded", "mphantom", "menclose", "mfrac"}
MATH_TAGS |= {"msqrt", "mroot", "msub", "msup", "msubsup", "munder", "mover", "munderover", "mtable", "mtr", "mtd"}
MATH_ATTRIBUTE = re.compile(r"(?!on|href|style|class|src|mathcolor|mathbackground|mathsize)[a-z]+")
EMPTY_TAGS = {"br"}
ATTRIBUTES = {
    "a": {"href", "title", "target", "rel"},
    "ol": {"start"},
    "code": {"class"},
    "pre": {"class"},
    "span": {"class", "data-user", "dir", "aria-hidden", "tabindex"},
    "li": {"class"},
    "th": {"class"},
    "td": {"class"},
}
LINK = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
CLASSES = re.compile(r"[A-Za-z0-9_+#. -]*\Z")


class Auditor(HTMLParser):
    """Read HTML with another parser than the sanitizer's, and object to all that a message may not hold."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS | MATH_TAGS:
            raise Broken(f"the tag <{tag}>")
        for name, value in attrs:
            if tag in MATH_TAGS and not MATH_ATTRIBUTE.fullmatch(name):
                raise Broken(f"the attribute {name} of <{tag}>")
            if tag in TAGS and name not in ATTRIBUTES.get(tag, set()):
                raise Broken(f"the attribute {name} of <{tag}>")
            if name == "href" and not LINK.match(value or ""):
                raise Broken(f"the address {value!r}")
            if name == "class" and not CLASSES.match(value or ""):
                raise Broken(f"the class {value!r}")
        given = dict(attrs)
        if "href" in given and "noopener" not in (given.get("rel") or ""):
            raise Broken("a link without noopener")
        if tag not in EMPTY_TAGS:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            raise Broken(f"</{tag}> closes another element")

    def handle_comment(self, data: str) -> None:
        raise Broken("a comment")

    def handle_decl(self, decl: str) -> None:
        raise Broken("a declaration")

    def unknown_decl(self, data: str) -> None:
        raise Broken("a declaration")

    def handle_pi(self, data: str) -> None:
        raise Broken("a processing instruction")

    def close(self) -> None:
        """Everything that was opened was closed."""
        super().close()
        if self._open:
            raise Broken(f"<{self._open[-1]}> is never closed")


def check_html(html: str) -> None:
    """Raise `Broken` unless the HTML is what a message may be."""
    auditor = Auditor()
    auditor.feed(html)
    auditor.close()


def fuzz(data: bytes) -> None:
    """A text, however made, becomes harmless HTML in bounded time."""
    text = data.decode("utf-8", "replace")[:LONGEST]
    most_seconds = MOST_TIMES * ordinary_seconds()
    began = thread_time()
    html = render(text)
    took = thread_time() - began
    if took > most_seconds:
        raise Broken(f"{took:.1f} s for {len(text)} characters")
    check_html(html)
    if render(text) != html:
        raise Broken("the same text, another HTML")


@cache
def ordinary_seconds() -> float:
    """The CPU time that an ordinary text of the greatest length takes, at best."""
    text = ("Some *words*, `code` and https://example.org/a, as people write them.\n\n" * LONGEST)[:LONGEST]
    best = float("inf")
    for _ in range(5):
        began = thread_time()
        render(text)
        best = min(best, thread_time() - began)
    return best


SEEDS = [
    "*a* **b** `c` ~~d~~ > e",
    "```python\nprint('<script>')\n```",
    "[x](javascript:alert(1)) <https://a.b> http://a.b/?q=<b>",
    "1. a\n2. b\n   - c\n\n> d\n> > e",
    "![a](b) [c][d]\n\n[d]: data:text/html,x",
    "&lt;&#60;&#x3c; \\<b\\> <img src=x onerror=y>",
    "@alice :smile: @room @bob's",
    r"$x^2$ $$\\frac{1}{2}$$ $\\left($ $\\href{a}{b}$ $5 $$",
    "| a | b |\n|---|:-:|\n| 1 | $2$ |\n\n# h\n- [ ] t",
    "www.example.org mailto:a@b.c https://例え.jp/ü",
]
