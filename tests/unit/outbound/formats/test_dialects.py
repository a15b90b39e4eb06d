"""The markup of other chats, and how it is shown here."""

import re

import pytest

from chatroom.messages.markdown.rendering import render
from chatroom.outbound.formats.dialects import from_discord, from_slack, literal


def shown(text: str) -> str:
    """The HTML of a converted text, without the attributes that every link has."""
    html = render(text).replace(' target="_blank" rel="noopener noreferrer nofollow"', "")
    return re.sub(r"\A<p>(.*)</p>\Z", r"\1", html)


def a(address: str, label: str) -> str:
    return f'<a href="{address}">{label}</a>'


SLACK = {
    "*bold* _italic_ ~strike~ `code`": "<strong>bold</strong> <em>italic</em> <s>strike</s> <code>code</code>",
    "*a* and *b c*, (*d*)": "<strong>a</strong> and <strong>b c</strong>, (<strong>d</strong>)",
    "*_a_* _*b*_": "<strong><em>a</em></strong> <em><strong>b</strong></em>",
    "2*3*4 and 2 * 3 * 4, ~/a and ~/b, ~5": "2*3*4 and 2 * 3 * 4, ~/a and ~/b, ~5",
    "`*a* &lt;b&gt;`": "<code>*a* &lt;b&gt;</code>",
    "*Alert:* ```a = 1```": "<strong>Alert:</strong></p>\n<pre><code>a = 1\n</code></pre>",
    "```python\na = 1\n```": '<pre><code class="language-python">',
    "&lt;b&gt; &amp;amp; a<b": "&lt;b&gt; &amp;amp; a&lt;b",
    "a Vec<String> b": "a Vec&lt;String&gt; b",
    "<https://a.example|Build 1> ok": a("https://a.example", "Build 1") + " ok",
    "<https://a.example?a=1&amp;b=2>": a("https://a.example?a=1&amp;b=2", "https://a.example?a=1&amp;b=2"),
    "*<https://a.example|x [y]>*": "<strong>" + a("https://a.example", "x [y]") + "</strong>",
    "<https://a.example/(x)|a ](b> c": a("https://a.example/(x)", "a ](b") + " c",
    "<https://a.example/_x_|*a*>": a("https://a.example/_x_", "*a*"),
    "https://a.example/*x*/~y~": a("https://a.example/*x*/~y~", "https://a.example/*x*/~y~"),
    "*https://a.example*": "<strong>" + a("https://a.example", "https://a.example") + "</strong>",
    "<mailto:ann@a.example|Ann>, <mailto:ann@a.example>": a("mailto:ann@a.example", "Ann")
    + ", "
    + a("mailto:ann@a.example", "ann@a.example"),
    "<tel:123|call>, <javascript:alert(1)|x>": "call, x",
    "<example.com|Fred E.>": a("https://example.com", "Fred E."),
    "a < b || c > d, if (a <!b && c> d), <@ b>": "a &lt; b || c &gt; d, if (a &lt;!b &amp;&amp; c&gt; d), &lt;@ b&gt;",
    "<https://a.example|:tada: party>": a("https://a.example", "🎉 party"),
    "*Failed:* `f(**a, **b**)` in __init__": "<strong>Failed:</strong> <code>",
    "*a*\n*b*": "<strong>a</strong><br>\n<strong>b</strong>",
    "<https://evil.example|https://bank.example>": a("https://evil.example", "https://bank.example")
    + " (evil.example)",
    "<!here> <!channel|channel> <!subteam^S1|@ops> <!subteam^S1>": "@here @channel @ops @group",
    "<!date^1392734382^{date}|Feb 18> <!date^1392734382^{date}^https://a.example|Feb>": "Feb 18 "
    + a("https://a.example", "Feb"),
    "<!date^1392734382^{date}> <!date^99999999999999^x>": "2014-02-18 14:39 UTC ",
    "<@U123|ann> <@U123> <#C123|ops> <#C123>": "@ann @U123 #ops #C123",
    "&gt; quoted\nnot quoted": "<blockquote>\n<p>quoted</p>\n</blockquote>\n<p>not quoted",
    ">>> a\nb": "<blockquote>\n<p>a<br>\nb</p>\n</blockquote>",
    "$x$ and $$y$$, $5, $HOME/$USER": "$x$ and $$y$$, $5, $HOME/$USER",
    "**a** $x$": "<math",
    "• a\n• b": "• a<br>\n• b",
    # Mattermost: Markdown, with Slack's links
    "**bold** *italic* ~~strike~~": "<strong>bold</strong> <em>italic</em> <s>strike</s>",
    "[a](https://a.example) *italic* <https://b.example|b>": a("https://a.example", "a")
    + " <em>italic</em> "
    + a("https://b.example", "b"),
    "## Head\n*italic*": "<h5>Head</h5>\n<p><em>italic</em>",
    "| a | b |\n|---|---|\n| *c* | d |": "<em>c</em>",
}


@pytest.mark.parametrize("text", SLACK)
def test_slack_and_mattermost(text: str) -> None:
    assert SLACK[text].removesuffix("</p>").strip() in shown(from_slack(text))


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*italic* **bold** &amp;", "<em>italic</em> <strong>bold</strong> &amp;amp;"),
        ("<@123> <@!4> <@&5> <#6> <:party:7>", "@123 @4 @5 #6 :party:"),
        ("<t:1700000000:R> <t:99999999999>", "2023-11-14 22:13 UTC 5138-11-16 09:46 UTC"),
        ("<https://a.example> <b>", a("https://a.example", "https://a.example") + " &lt;b&gt;"),
    ],
)
def test_discord(text: str, html: str) -> None:
    assert shown(from_discord(text)) == html


@pytest.mark.parametrize(
    "text",
    [
        "*a* _b_ ~~c~~ `d`",
        "[a](https://a.example",
        "> a",
        "# a",
        "a_b_c 2*3*4",
        "**",
        "$x$ $$y$$",
        "[x] (y)",
        "C:\\dir\\file",
        "@bob",
    ],
)
def test_a_text_without_markup_is_shown_as_it_is(text: str) -> None:
    html = shown(literal(text))
    assert re.sub(r"</?(?:p|a)[^>]*>", "", html).replace("&gt;", ">") == text


@pytest.mark.parametrize("piece", ["-", "**a ", "~~a ", "[a", "<", "`", "*a ", "> a\n", "http://."])
def test_a_long_text_of_signs_takes_linear_time(piece: str) -> None:
    """L19."""
    text = piece * 10_000
    assert from_slack(text)
