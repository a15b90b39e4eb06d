"""Write the Markdown of messages. What is escaped here has no markup and mentions nobody."""

import re
from collections.abc import Callable
from urllib.parse import quote

from chatroom.messages.markdown.emoji import replace_shortcodes
from chatroom.messages.markdown.inline_rules import LINK
from chatroom.messages.markdown.rendering import NAME, names_in
from chatroom.messages.mentions import GROUPS
from chatroom.names import fold, is_reserved

SHORTENED = "… (shortened)"
DIVIDER = "———"
FENCE = "```"
IsEscaped = Callable[[str], bool]
"""Whether the mention of a name is escaped."""
_signs = re.compile(r"\*(?=\S)|(?<=\S)\*|`|~(?=~)|(?<=~)~|(?<![^\W_])_|_(?![^\W_])|\[(?=[^\]\n]{0,300}\]\()")
_starts = re.compile(r"^([ ]{0,3})(?=>|#{1,6}[ ])", re.MULTILINE)
_formula = re.compile(r"\$(?=\$?[^\s$][^$\n]{0,300}\$)")
_balanced = re.compile(r"[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*")
_not_in_address = re.compile(r"""[\s"\\^`{|}\x00-\x1f]""")


def escape(text: str) -> str:
    """Escape the signs of markup, and mentions."""
    return without_mentions(_starts.sub(r"\1\\", _signs.sub(r"\\\g<0>", without_formulas(text))), is_anybody)


def without_formulas(text: str) -> str:
    """Escape the dollar signs that may begin a formula."""
    return _formula.sub(r"\\$", text)


def bold(text: str) -> str:
    """Return a converted text in bold, on one line."""
    words = " ".join(text.split())
    return f"**{words}**" if words else ""


def link(address: str, label: str = "") -> str:
    """Return a link. Only the label of an address with an unknown scheme is shown."""
    address, label = address.strip(), replace_shortcodes(" ".join(label.split()))
    if LINK.match(address) is None:
        return escape(label or address)
    address = _not_in_address.sub(lambda match: quote(match[0]), address).replace("<", "%3C").replace(">", "%3E")
    if not label and address.lower().startswith("mailto:"):
        label = address[len("mailto:") :]
    if not label or label == address:
        return f"<{address}>"
    shown = escape(label) + " " * label.endswith("\\")
    if _balanced.fullmatch(label) is None:
        shown = shown.replace(r"\[", "[").replace("[", r"\[").replace("]", r"\]")
    return f"[{shown}](<{address}>)" if "(" in address or ")" in address else f"[{shown}]({address})"


def code(text: str) -> str:
    """Return a text as inline code."""
    return "`" + " ".join(text.replace("`", "'").split()) + "`" if text.strip() else ""


def join(parts: list[str], between: str = "\n\n") -> str:
    """Join the parts that have a text."""
    return between.join(part for part in parts if part.strip())


def shorten(text: str, most: int) -> str:
    """Shorten a text to at most `most` characters, with a mark at its end. 0 means no limit."""
    if not 0 < most < len(text):
        return text
    end = most - len(SHORTENED) - len(FENCE) - 4
    if end <= 0:
        return text[:most]
    near = max(0, end - 200)
    place = max(text.rfind("\n", near, end), 0) or max(text.rfind(" ", near, end), 0) or end
    kept = text[:place].rstrip()
    return f"{kept}\n{FENCE}\n\n{SHORTENED}" if kept.count(FENCE) % 2 else f"{kept}\n\n{SHORTENED}"


def limit_mentions(text: str, own: str) -> str:
    """Return a text that mentions only people whom `own`, the part that the program itself wrote, mentions."""
    if "@" not in text:
        return text
    allowed = _names(own) - GROUPS.keys()
    return text if _names(text) <= allowed else without_mentions(text, is_anybody)


def without_mentions(text: str, is_escaped: IsEscaped) -> str:
    """Escape the mentions of the names for which `is_escaped` returns true."""
    return str(NAME.sub(lambda match: "\\" * is_escaped(match[1]) + match[0], text)) if "@" in text else text


def is_anybody(name: str) -> bool:
    """Return whether a name may mention: `@channel` mentions nobody, because nobody can have this name."""
    return is_everybody(name) or not is_reserved(name)


def is_nobody(_: str) -> bool:
    """Return False, for any name."""
    return False


def is_everybody(name: str) -> bool:
    """Return whether a name mentions everybody, or everybody who is there."""
    return fold(name.rstrip("._-")) in GROUPS


def _names(text: str) -> set[str]:
    if "@" not in text:
        return set()
    return {fold(name) for possible in names_in(text) for name in possible if is_anybody(name)}
