"""Render Markdown to HTML: a subset of CommonMark, sanitized by an allow-list.

This is the only place where a message becomes HTML. The HTML is safe to insert in a page.
"""

import re
from collections.abc import Collection, Iterator
from html import escape
from typing import Any, cast
from urllib.parse import quote

import nh3
import regex
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

from chatroom.base.models import Person
from chatroom.messages.markdown import block_rules, formulas, highlighting, inline_rules, mathml
from chatroom.messages.markdown.emoji import LONGEST, find_emoji, replace_shortcodes
from chatroom.messages.markdown.highlighting import Highlight
from chatroom.messages.markdown.inline_rules import LINK, WITHOUT_SPACES, Links
from chatroom.messages.markdown.link_labels import show_hosts
from chatroom.names import fold

RULES_OFF = ["lheading", "hr", "html_block", "html_inline", "image", "reference", "entity"]
TAGS = {"p", "br", "em", "strong", "s", "code", "pre", "a", "ul", "ol", "li", "blockquote", "span", "h5", "h6"}
TAGS |= {"table", "thead", "tbody", "tr", "th", "td", *mathml.TAGS}
ATTRIBUTES = {
    "a": {"href", "title", "dir"},
    "ol": {"start"},
    "code": {"class"},
    "span": {"data-user", "dir", "aria-hidden", "tabindex"},
}
ATTRIBUTES |= dict.fromkeys(mathml.TAGS - {"mpadded"}, mathml.ATTRIBUTES)
CLASSES = {
    "a": {"room-link"},
    "span": {*highlighting.CLASSES, "mention", "formula", "formula-block", "formula-long", "formula-source"},
    "li": {"task"},
    "th": {"align-center", "align-right"},
    "td": {"align-center", "align-right"},
}
CHARACTER = regex.compile(r"\X")
MOST_LARGE = 12
"""Pages show a message large if it has only emoji, and at most this many."""
MOST_INLINE = 40
"""The most characters of a formula that needs no scrolling on a phone."""
SCHEMES = {"http", "https", "mailto"}
_BEFORE_NAME = rf"(?<![[\p{{L}}\p{{M}}\p{{N}}_@/.-]--[{WITHOUT_SPACES.pattern}\p{{Arabic}}\p{{Hebrew}}]])"
NAME = regex.compile(
    rf"(?:{_BEFORE_NAME}|(?<={_BEFORE_NAME}(?:@[\w.-]{{1,40}}/){{1,8}}))"
    r"@([\p{L}\p{Nd}][\p{L}\p{Mn}\p{Mc}\p{Nd}\p{Join_Control}._\-]{0,40})",
    regex.V1,
)
"""A mention. Letters of scripts that use no spaces, or that attach words to the next, may stand before it,
and so may a mention with a slash: `@alice/@bob`."""
ROOM = regex.compile(r"(?<![\p{L}\p{M}\p{N}_#&/@.-])#([\p{L}\p{M}\p{Nd}][\p{L}\p{M}\p{Nd}-]{0,63})")
"""A link to a room, by its slug."""
ROOM_LINK = re.compile(r'(<a class="room-link" [^>]*?)(?: target="_blank"| rel="[^"]*")+>')
"""A link to a room, with what the cleaner adds to links to other sites."""
LANGUAGE = re.compile(r"language-[\w+#.-]{1,40}\Z", re.ASCII)
MOST_LINKS = 100
"""A message with more possible links gets no links, because parsing many unfinished links is slow."""

# The signs of markup: marks, an ampersand or angle bracket, a possible link (`a.b`, `//`), the short code of an emoji
# (`:tada:`), or the start of a block. A text without any of them is rendered line by line, without the parser.
MARKUP = re.compile(
    r"""[*_`~\[\]\\<>&"\0\r\t\f\v\x1c-\x1f\x85\xa0\u2028\u2029]|\S[.:]\S|//|:[a-z0-9_+-]+:|^\s|\s$|[ ]\n|\n[ \n]"""
    r"""|^[ ]{0,3}(?:[-+#>=|]|\d{1,9}[.)])""",
    re.MULTILINE,
)

WORDS = re.compile(r"[A-Za-z](?:[A-Za-z0-9 ,!?']*[A-Za-z0-9.!?])?")
"""Matches most texts without markup, and is faster than `MARKUP`."""


class _Parser(MarkdownIt):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.linkify = Links()

    def validateLink(self, url: str) -> bool:  # noqa: N802  the library's name
        """Allow only complete addresses as links: no scripts, no data, no relative addresses."""
        return LINK.match(url) is not None

    def normalizeLinkText(self, link: str) -> str:  # noqa: N802
        """Show an address as it was typed."""
        return link


def _mark(state: StateCore) -> None:
    """Replace short codes of emoji, mentions of people and names of rooms in the text outside code and links."""
    for block in state.tokens:
        if block.type == "inline":
            is_link = False
            children: list[Token] = []
            for token in block.children or ():
                is_link = token.type == "link_open" or (is_link and token.type != "link_close")
                children += [token] if is_link or token.type != "text" else _marked(token, state.env)
            block.children = children


def _marked(token: Token, env: Any) -> Iterator[Token]:
    token.content = replace_shortcodes(token.content)
    people: dict[str, Person] = env.get("people", {})
    rooms: Collection[str] = env.get("rooms", ())
    text, end = token.content, 0
    for match in _find_names(text):
        possible = _names_at(match[1])
        is_room = match.re is ROOM
        env.get("room_names" if is_room else "names", []).append(possible)
        name = next(
            (each for each in possible if (each.casefold() in rooms if is_room else fold(each) in people)), None
        )
        if name is not None:
            yield Token("text", "", 0, content=text[end : match.start()])
            if is_room:
                yield Token("room", "", 0, content=name)
            else:
                yield Token("mention", "", 0, meta={"person": people[fold(name)]})
            end = match.start() + 1 + len(name)
    yield Token("text", "", 0, content=text[end:])


def _find_names(text: str) -> list[regex.Match[str]]:
    """Find the possible names of people and rooms. Their signs (`@`, `#`) are never in a name, so none overlap."""
    people = list(NAME.finditer(text)) if "@" in text else []
    rooms = list(ROOM.finditer(text)) if "#" in text else []
    return sorted(people + rooms, key=lambda match: match.start()) if people and rooms else people or rooms


def _names_at(word: str) -> list[str]:
    """Return the names that a word after an `@` may begin with, the longest first: `@田中さん` may mention 田中."""
    word = word.rstrip("._-")
    ends = [end for end in range(len(word) - 1, 0, -1) if WITHOUT_SPACES.search(word, end - 1, end + 1)]
    return [word, *(word[:end] for end in ends)]


def _render_mention(_: Any, tokens: Any, index: int, *__: Any) -> str:
    person: Person = tokens[index].meta["person"]
    return f'<span class="mention" data-user="{escape(person.id)}" dir="auto">@{escape(person.name)}</span>'


def _render_room(_: Any, tokens: Any, index: int, *__: Any) -> str:
    name = tokens[index].content
    return f'<a class="room-link" href="/chatroom/{quote(name.casefold())}" dir="auto">#{escape(name)}</a>'


def _render_fence(self: RendererHTML, tokens: Any, index: int, options: OptionsDict, env: Any) -> str:
    highlight = env["highlight"]
    own = OptionsDict(cast("Any", {**options, "highlight": lambda code, language, _: highlight(code, language)}))
    return RendererHTML.fence(self, tokens, index, own, env)


def _render_formula(_: Any, tokens: Any, index: int, __: Any, env: Any) -> str:
    token = tokens[index]
    is_block = token.type == "math_block"
    source = escape(formulas.source_of(token))
    math = env["highlight"](token.content, mathml.BLOCK if is_block else mathml.INLINE)
    if math:  # people and programs copy and quote the source
        name = "formula-block" if is_block else "formula-long" if len(source) > MOST_INLINE else ""
        more = f' {name}" tabindex="0' if name else ""  # what can be scrolled must be reached by keyboard
        hidden = f'<span class="formula-source" aria-hidden="true">{source}</span>'
        source = f'<span class="formula{more}" dir="ltr">{math}{hidden}</span>'
    return f"<p>{source}</p>\n" if token.block else source


def _make_parser() -> MarkdownIt:
    options = {"html": False, "linkify": True, "breaks": True, "maxNesting": 20}
    parser = _Parser("commonmark", options)
    parser.enable(["linkify", "strikethrough", "table"]).disable(RULES_OFF, ignoreInvalid=True)
    parser.block.ruler.at("list", block_rules.lists, {"alt": ["paragraph", "reference", "blockquote"]})
    parser.block.ruler.at("blockquote", block_rules.quotes, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    parser.block.ruler.at("table", block_rules.tables, {"alt": ["paragraph", "reference"]})
    parser.block.ruler.at("heading", block_rules.headings, {"alt": ["paragraph", "reference", "blockquote"]})
    parser.inline.ruler.at("link", inline_rules.link)
    parser.inline.ruler.at("autolink", inline_rules.autolink)
    parser.inline.ruler.at("escape", inline_rules.escape)
    parser.inline.ruler.at("emphasis", inline_rules.emphasis)
    parser.block.ruler.before(
        "fence", "formula", formulas.block_formula, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )
    parser.inline.ruler.push("formula", formulas.inline_formula)
    parser.core.ruler.push("shape", block_rules.shape)
    parser.core.ruler.push("marks", _mark)
    parser.core.ruler.push("hosts", show_hosts)
    parser.add_render_rule("literal", inline_rules.render_literal)
    parser.add_render_rule("mention", _render_mention)
    parser.add_render_rule("room", _render_room)
    parser.add_render_rule("fence", _render_fence)
    parser.add_render_rule("math_inline", _render_formula)
    parser.add_render_rule("math_block", _render_formula)
    return parser


_PARSER = _make_parser()
_PARSER_WITHOUT_LINKS = _make_parser().disable(["link", "autolink", "linkify"])


def render_plain(text: str) -> str | None:
    """Render a text without markup. Return None for a text that needs the parser."""
    if is_emoji_only(text):
        return f'<p><span class="emoji-only">{replace_shortcodes(text.strip())}</span></p>'
    if text and (WORDS.fullmatch(text) or (text.count("$") < 2 and MARKUP.search(text) is None)):
        return "<p>" + escape(text, quote=False).replace("\n", "<br>\n") + "</p>"
    return None


def is_slow(text: str) -> bool:
    """Return whether a text may contain code or formulas, so that rendering may take long."""
    return "```" in text or "~~~" in text or text.count("$") > 1


def render(
    text: str,
    people: Collection[Person] = (),
    highlight: Highlight = highlighting.highlight,
    *,
    rooms: Collection[str] = (),
) -> str:
    """Render a message's text as HTML. Line breaks are kept, and raw HTML is shown as typed.

    Outside code and links, a mention of one of the `people` shows this person's display name, and `#` with the slug of
    one of the `rooms` is a link.
    """
    plain = render_plain(text) if not people and not rooms else None
    if plain is not None:
        return plain
    named = {fold(person.username): person for person in people}
    html: str = _parser_for(text).render(text, {"people": named, "rooms": rooms, "highlight": highlight})
    clean = _CLEANER.clean(html.replace('<a href=""', "<a")).rstrip("\n")  # `[x]()` would link to the current page
    return ROOM_LINK.sub(r"\1>", clean) if rooms else clean


def is_emoji_only(text: str) -> bool:
    """Return whether a text is one line of at most 12 emoji or their short codes."""
    if not text or len(text) > MOST_LARGE * LONGEST or (text[0].isascii() and text[0] != ":"):
        return False
    shown = [each for each in CHARACTER.findall(replace_shortcodes(text.strip())) if each != " "]
    return 0 < len(shown) <= MOST_LARGE and all(not each.isascii() and find_emoji(each) for each in shown)


def names_in(text: str) -> list[list[str]]:
    """For each `@` in a text outside code and links, the names that it may mention, as typed, the longest first."""
    names: list[list[str]] = []
    _parser_for(text).parse(text, {"names": names})
    return names


def rooms_in(text: str) -> list[list[str]]:
    """For each `#` before a word outside code and links, the slugs that it may be, as typed, the longest first."""
    names: list[list[str]] = []
    _parser_for(text).parse(text, {"room_names": names})
    return names


def _parser_for(text: str) -> MarkdownIt:
    return _PARSER if text.count("//") + text.count("[") <= MOST_LINKS else _PARSER_WITHOUT_LINKS


def _keep(tag: str, attribute: str, value: str) -> str | None:
    """Allow the class of a code block only if it names a language, and in formulas only short lengths."""
    if tag == "code" and attribute == "class":
        return value if LANGUAGE.match(value) else None
    if attribute in mathml.LENGTHS:
        return value if mathml.LENGTH.fullmatch(value) else None
    return value


_CLEANER = nh3.Cleaner(
    tags=TAGS,
    attributes=ATTRIBUTES,
    attribute_filter=_keep,
    allowed_classes=CLASSES,
    url_schemes=SCHEMES,
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
)
