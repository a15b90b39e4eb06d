"""Make HTML from what people typed: a subset of CommonMark, sanitized by an allow-list.

This is the only place where a message becomes HTML; what leaves it is safe to insert in a page.
"""

import re
from html import escape

import nh3
from markdown_it import MarkdownIt

from chatroom import highlighting

RULES_OFF = [
    "heading",
    "lheading",
    "hr",
    "table",
    "html_block",
    "html_inline",
    "image",
    "reference",
    "entity",
]
TAGS = {"p", "br", "em", "strong", "s", "code", "pre", "a", "ul", "ol", "li", "blockquote", "span"}
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}, "code": {"class"}}
SPAN_CLASSES = highlighting.CLASSES
SCHEMES = {"http", "https", "mailto"}
LINK = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
LANGUAGE = re.compile(r"language-[\w+#.-]{1,40}\Z", re.ASCII)
MOST_LINKS = 100
"""Beyond it none is made clickable: a message full of halves of links would take a tenth of a second."""

# Text in which none of this occurs renders to itself, line by line, and need not pay for a parser: marks, an
# ampersand or angle bracket, something like a link (`a.b`, `//`), and what opens a block at the start of a line.
MARKUP = re.compile(
    r"""[*_`~\[\]\\<>&"\0\r\t\f\v\x1c-\x1f\x85\xa0\u2028\u2029]|\S[.:]\S|//|^\s|\s$|[ ]\n|\n[ \n]"""
    r"""|^[ ]{0,3}(?:[-+#>=]|\d{1,9}[.)])""",
    re.MULTILINE,
)


class _Parser(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802  the library's name
        """Make only whole addresses clickable: no scripts, no data, and nothing that a base address would complete."""
        return LINK.match(url) is not None


def _highlight(code: str, language: str, _: str) -> str:
    return highlighting.highlight(code, language)


def _make_parser() -> MarkdownIt:
    options = {"html": False, "linkify": True, "breaks": True, "maxNesting": 20, "highlight": _highlight}
    parser = _Parser("commonmark", options)
    parser.enable(["linkify", "strikethrough"]).disable(RULES_OFF, ignoreInvalid=True)
    if parser.linkify is not None:
        parser.linkify.set({"fuzzy_email": False})
    return parser


_PARSER = _make_parser()
_PARSER_WITHOUT_LINKS = _make_parser().disable(["link", "autolink", "linkify"])


def render(text: str) -> str:
    """Render a message's text as HTML; line breaks are kept, raw HTML is shown as it was typed."""
    if text and MARKUP.search(text) is None:
        return "<p>" + escape(text, quote=False).replace("\n", "<br>\n") + "</p>"
    parser = _PARSER if text.count("//") + text.count("[") <= MOST_LINKS else _PARSER_WITHOUT_LINKS
    return nh3.clean(
        parser.render(text).replace('<a href=""', "<a"),  # `[x]()`: it would lead to this page again
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_keep,
        allowed_classes={"span": SPAN_CLASSES},
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    ).rstrip("\n")


def _keep(tag: str, attribute: str, value: str) -> str | None:
    """Let a block of code name its language, and nothing else, whatever was typed after the fence."""
    if tag == "code" and attribute == "class":
        return value if LANGUAGE.match(value) else None
    return value
