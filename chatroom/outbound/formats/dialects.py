"""Convert the markup of Slack, Mattermost and Discord to the Markdown of messages.

A converted text mentions nobody, unless the caller says which names are not escaped.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime

from chatroom.messages.markdown.inline_rules import LINK
from chatroom.outbound.formats.markdown import (
    FENCE,
    IsEscaped,
    escape,
    is_anybody,
    link,
    without_formulas,
    without_mentions,
)

_markdown = re.compile(
    r"^(?>[^\n]*?\*\*(?=\S))[^\n]*\S\*\*|~~\S[^\n]*?~~|\[[^\]\n]{1,300}\]\(\w+:|^#{1,6} +\S"
    r"|^\|?(?=[ :-]*---)[ :-]*\|",
    re.MULTILINE,
)
"""Markup that Slack does not have. A text with it is Markdown, where `*x*` is italic; in other texts it is bold."""
_code = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
_angle = r"<(?P<angle>[^<>\n]+)>"
_address = r"""https?://[^\s<>\0]*[^\s<>\0*_~.,;:!?)\]'"]"""
_tokens = re.compile(rf"```(?P<fence>.*?)```|(?P<code>`[^`\n]+`)|{_angle}|{_address}", re.DOTALL)
_tokens_of_plain_text = re.compile(rf"{_angle}|{_address}")
_kept = re.compile(r"[ \t]{0,4}\n?[ \t]{0,4}\0f(\d+)\0[ \t]{0,4}\n?|\0(\d+)\0")
_entity = re.compile("&(amp|lt|gt);")
_entities = {"amp": "&", "lt": "<", "gt": ">"}
_pair = r"(?<![^\W_])(?<!{0}){0}(?=\S)((?:[^{0}\n\0]|\0\d+\0)+)(?<=\S){0}(?![^\W_])(?!{0})"
_bold, _strike = re.compile(_pair.format(r"\*")), re.compile(_pair.format("~"))
_quoted_rest = re.compile(r"^>>>[ ]?(.*)\Z", re.MULTILINE | re.DOTALL)
_end_of_quote = re.compile(r"^(>.*)\n(?=[^>\n])", re.MULTILINE)
_name = re.compile(r"([@#])([\w.-]+)")
_command = re.compile(r"!(here|channel|everyone|group|subteam\^\w+|date\^.+)")
_host = re.compile(r"[\w-]+(?:\.[\w-]+)+(?::\d+)?(?:/\S*)?")
_scheme = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_time_of_discord = re.compile(r"t:(\d{1,11})(?::\w)?")
_emoji_of_discord = re.compile(r"a?(:\w{1,60}:)\d+")


def from_slack(text: str, is_escaped: IsEscaped = is_anybody) -> str:
    """Convert a text of Slack or Mattermost: which of the two shows in the markup. Mentions are escaped by name."""
    is_markdown = _markdown.search(_code.sub("", text)) is not None
    return _converted(text, _slack_angle, decode, is_escaped, from_mrkdwn=not is_markdown)


def from_discord(text: str, is_escaped: IsEscaped = is_anybody) -> str:
    """Convert a text of Discord, which is Markdown with tags such as `<@123>` and `<t:1700000000>`."""
    return _converted(text, _discord_angle, str, is_escaped, from_mrkdwn=False)


def literal(text: str) -> str:
    """Escape a text that has no markup, except links in angle brackets."""
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append((_slack_angle(match["angle"]) or match[0]) if match["angle"] else decode(match[0]))
        return f"\0{len(kept) - 1}\0"

    text = _tokens_of_plain_text.sub(keep, text.replace("\0", ""))
    return _kept.sub(lambda match: kept[int(match[2])], escape(decode(text)))


def decode(text: str) -> str:
    """Replace the three escapes of Slack: `&amp;`, `&lt;` and `&gt;`."""
    return _entity.sub(lambda match: _entities[match[1]], text)


def time_of(seconds: int) -> str:
    """Return a Unix time in words, or "" if it is out of range."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError, OSError):
        return ""


def _converted(
    text: str,
    convert_angle: Callable[[str], str | None],
    unescape: Callable[[str], str],
    is_escaped: IsEscaped,
    *,
    from_mrkdwn: bool,
) -> str:
    """Convert what stands between code, tags and addresses, which are kept aside meanwhile."""
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        is_fence = match["fence"] is not None
        if is_fence:
            kept.append(f"{FENCE}{_start_of_code(match['fence'])}{unescape(match['fence']).rstrip()}\n{FENCE}")
        elif match["angle"]:
            kept.append(convert_angle(match["angle"]) or without_mentions(match[0], is_anybody))
        else:
            kept.append(unescape(match[0]))
        return f"\0{'f' * is_fence}{len(kept) - 1}\0"

    text = text.replace("\0", "")
    if text.count(FENCE) % 2:
        text += f"\n{FENCE}"
    text = unescape(_tokens.sub(keep, text))
    if from_mrkdwn:
        text = without_formulas(text)
        text = _strike.sub(r"~~\1~~", _bold.sub(r"**\1**", text))
        text = _quoted_rest.sub(lambda match: "> " + match[1].replace("\n", "\n> "), text)
        text = _end_of_quote.sub(r"\1\n\n", text)
    text = without_mentions(text, is_escaped)
    return _kept.sub(lambda match: f"\n{kept[int(match[1])]}\n" if match[1] else kept[int(match[2])], text).strip("\n")


def _start_of_code(text: str) -> str:
    """Return the line break after the opening of a code block, unless the first line names a language."""
    first, line_break, _ = text.partition("\n")
    return "" if line_break and (not first.strip() or re.fullmatch(r"[\w+#.-]{1,20}", first)) else "\n"


def _slack_angle(inner: str) -> str | None:
    """Convert what stands between angle brackets. Return None if it is no tag."""
    target, _, label = (decode(part).strip() for part in inner.partition("|"))
    if named := _name.fullmatch(target):
        return escape(named[1] + (label.lstrip("@#") or named[2]))
    if command := _command.fullmatch(target):
        return _special(command[1], label)
    if LINK.match(target):
        return link(target, label)
    if label and _host.fullmatch(target):
        return link(f"https://{target}", label)
    return escape(label) if label and _scheme.match(target) else None


def _special(command: str, label: str) -> str:
    """Convert `<!here>`, `<!subteam^S1|@name>`, or `<!date^1700000000^{date}^https://example.com|fallback>`."""
    name, *arguments = command.split("^")
    if name == "date":
        time = time_of(int(arguments[0])) if arguments and re.fullmatch(r"\d{1,11}", arguments[0]) else ""
        shown = label or time
        return link(arguments[2], shown) if len(arguments) > 2 else escape(shown)
    return escape("@" + (label.lstrip("@") or ("group" if name == "subteam" else name)))


def _discord_angle(inner: str) -> str | None:
    if time := _time_of_discord.fullmatch(inner):
        return time_of(int(time[1])) or None
    if emoji := _emoji_of_discord.fullmatch(inner):
        return emoji[1]
    if inner[:1] in {"@", "#"} and inner[1:].lstrip("!&").isalnum():
        return escape(inner[0] + inner[1:].lstrip("!&"))
    return None
