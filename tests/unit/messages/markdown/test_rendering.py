import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chatroom.base.models import Person
from chatroom.messages.markdown import highlighting, rendering
from chatroom.messages.markdown.highlighting import CLASSES
from chatroom.messages.markdown.inline_rules import Links
from chatroom.messages.markdown.mathml import ATTRIBUTES as MATH_ATTRIBUTES
from chatroom.messages.markdown.mathml import TAGS as MATH_TAGS
from chatroom.messages.markdown.rendering import names_in, render
from tests.speed import is_quick

LONGEST = 4000
MOST_SECONDS = 0.3

TAGS = {"p", "br", "em", "strong", "s", "code", "pre", "a", "ul", "ol", "li", "blockquote", "span", "h5", "h6"}
TAGS |= {"table", "thead", "tbody", "tr", "th", "td"}
VOID = {"br"}
ATTRIBUTES: dict[str, set[str]] = {
    "a": {"href", "title", "rel", "target"},
    "ol": {"start"},
    "code": {"class"},
    "span": {"class"},
    "li": {"class"},
    "th": {"class"},
    "td": {"class"},
}


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is highlighted does not depend on how quick the machine is."""
    monkeypatch.setattr(highlighting, "MOST_SECONDS", 60)


class Checker(HTMLParser):
    """Read HTML, and collect its text and everything that is not allowed."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong: list[Any] = []
        self.open: list[str] = []
        self.text = ""
        self.links: list[str] = []
        self.feed(html)
        self.close()
        if self.open:
            self.wrong.append(("never closed", self.open))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS | MATH_TAGS:
            self.wrong.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if (tag in MATH_TAGS and name in MATH_ATTRIBUTES) or "formula" in (dict(attrs).get("class") or ""):
                continue
            if name not in ATTRIBUTES.get(tag, set()):
                self.wrong.append((tag, name))
            elif name == "href":
                self.links.append(value or "")
                if not re.match(r"(https?://|mailto:)", value or "", re.IGNORECASE):
                    self.wrong.append(("href", value))
            elif tag == "span" and value == "emoji-only" and self.open == ["p", "span"]:
                pass
            elif tag == "span" and (value not in CLASSES or "pre" not in self.open):
                self.wrong.append(("span", value))
            elif tag in {"li", "th", "td"} and value not in {"task", "align-center", "align-right"}:
                self.wrong.append((tag, value))
            elif tag == "code" and not (value or "").startswith("language-"):
                self.wrong.append(("class", value))
            elif name == "start" and not (value or "").isdecimal():
                self.wrong.append(("start", value))
        if tag == "a":
            given = dict(attrs)
            if given.get("rel") != "noopener noreferrer nofollow" or given.get("target") != "_blank":
                self.wrong.append(("a", given))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(("closed", tag))

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.wrong.append(("comment", data))

    def handle_decl(self, decl: str) -> None:
        self.wrong.append(("declaration", decl))

    def handle_pi(self, data: str) -> None:
        self.wrong.append(("instruction", data))

    def unknown_decl(self, data: str) -> None:
        self.wrong.append(("declaration", data))


def slow(text: str) -> str:
    """What the parser makes, without the fast path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendering, "MARKUP", re.compile(""))
        patch.setattr(rendering, "WORDS", re.compile("(?!)"))
        return render(text)


class TestText:
    @pytest.mark.parametrize(
        ("text", "html"),
        [
            ("hi", "<p>hi</p>"),
            ("Hello, world! (yes)", "<p>Hello, world! (yes)</p>"),
            ("one\ntwo", "<p>one<br>\ntwo</p>"),
            ("one\n\ntwo", "<p>one</p>\n<p>two</p>"),
            ("*a* **b** ~~c~~", "<p><em>a</em> <strong>b</strong> <s>c</s></p>"),
            ("`a < b`", "<p><code>a &lt; b</code></p>"),
            ("```\nx = 1\n```", "<pre><code>x = 1\n</code></pre>"),
            ("```nope\nx = 1\n```", '<pre><code class="language-nope">x = 1\n</code></pre>'),
            (
                "```py\npass # <b>\n```",
                '<pre><code class="language-py"><span class="k">pass </span>'
                '<span class="c"># &lt;b&gt;\n</span></code></pre>',
            ),
            ("> a\nb", "<blockquote>\n<p>a<br>\nb</p>\n</blockquote>"),
            ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
            ("3. a\n4. b", '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>'),
            ("a & b < c > d", "<p>a &amp; b &lt; c &gt; d</p>"),
            ("# a heading", "<h5>a heading</h5>"),
            ("### a heading", "<h6>a heading</h6>"),
            ("#no heading", "<p>#no heading</p>"),
            ("# #", "<p># #</p>"),
            ("28. November", "<p>28. November</p>"),
            ("- [ ] a\n- [x] b", '<ul>\n<li class="task">☐ a</li>\n<li class="task">☑ b</li>\n</ul>'),
            ("a\n===", "<p>a<br>\n===</p>"),
            ("---", "<p>---</p>"),
            ("&amp; &#60;", "<p>&amp;amp; &amp;#60;</p>"),
            ("{{7*7}} %s", "<p>{{7*7}} %s</p>"),
            ("\\*no\\*", "<p>*no*</p>"),
        ],
    )
    def test_a_text_as_html(self, text: str, html: str) -> None:
        assert render(text) == html

    def test_a_picture_is_not_shown(self) -> None:
        assert "<img" not in render("![x](https://example.com/x.png)")

    def test_a_table(self) -> None:
        html = render("|a|b|\n|-|-:|\n|1|2|")
        assert '<th class="align-right">b</th>' in html
        assert '<td class="align-right">2</td>' in html

    def test_a_short_text_makes_no_huge_table(self) -> None:
        """L19."""
        head = "a|" * 200 + "\n" + "-|" * 200 + "\n"
        assert "<table>" in render(head + "|\n" * 5)
        assert "<table>" not in render(head + "|\n" * 1600)


ALICE = Person(id="a" * 24, username="Al.Ice", name="Alice O'Hara")
ROOM = Person(id="room", username="room", name="room")
MENTION = f'<span class="mention" data-user="{"a" * 24}" dir="auto">@Alice O\'Hara</span>'


class TestMentions:
    @pytest.mark.parametrize(
        ("text", "html"),
        [
            ("hi @al.ice", f"<p>hi {MENTION}</p>"),
            ("@AL.ICE: hi", f"<p>{MENTION}: hi</p>"),
            ("(@al.ice).", f"<p>({MENTION}).</p>"),
            ("so @al.ice.", f"<p>so {MENTION}.</p>"),
            ("(@bob/@carol/@al.ice)", f"<p>(@bob/@carol/{MENTION})</p>"),
            ("example.com/@bob/@al.ice", '<p><a href="https://example.com/@bob/@al.ice" '),
            ("*@al.ice*", f"<p><em>{MENTION}</em></p>"),
            ("> @al.ice", f"<blockquote>\n<p>{MENTION}</p>\n</blockquote>"),
            ("@room", '<p><span class="mention" data-user="room" dir="auto">@room</span></p>'),
            ("@bob @al", "<p>@bob @al</p>"),
            ("`@al.ice`", "<p><code>@al.ice</code></p>"),
            ("x@al.ice.example", '<p>x@<a href="http://al.ice" '),
        ],
    )
    def test_a_member_is_marked_by_their_display_name(self, text: str, html: str) -> None:
        if "example" in text:
            assert "mention" not in render(text, [ALICE])
        else:
            assert render(text, [ALICE, ROOM]) == html

    def test_not_in_links_nor_in_code(self) -> None:
        for text in ("[@al.ice](https://a.example)", "https://a.example/@al.ice", "```\n@al.ice\n```"):
            assert "mention" not in render(text, [ALICE])
            assert names_in(text) == []

    def test_without_members_there_are_no_mentions(self) -> None:
        assert render("hi @al.ice") == "<p>hi @al.ice</p>"

    def test_the_name_is_text(self) -> None:
        evil = Person(id="b" * 24, username="bob", name="<img src=x onerror=alert(1)>")
        html = render("@bob", [evil])
        assert "<img" not in html
        assert "&lt;img src=x onerror=alert(1)&gt;" in html

    def test_names_are_found_in_any_writing(self) -> None:
        found = names_in("@josé @Жанна, @कमला! mail@me @ @. @-x a/@b ＠x @a_b- @1st")
        assert found == [["josé"], ["Жанна"], ["कमला"], ["a_b"], ["1st"]]

    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("你好@grace", ["grace"]),
            ("@grace你好", ["grace你好", "grace你", "grace"]),
            ("@田中さん", ["田中さん", "田中さ", "田中", "田"]),
            ("@田中san", ["田中san", "田中", "田"]),
            ("ครับ@grace", ["grace"]),
            ("و@grace", ["grace"]),
        ],
    )
    def test_names_need_no_spaces_where_the_script_has_none(self, text: str, names: list[str]) -> None:
        assert names_in(text) == [names]


class TestEmoji:
    @pytest.mark.parametrize(
        ("text", "html"),
        [
            (":tada:", '<p><span class="emoji-only">🎉</span></p>'),
            (":tada: yes", "<p>🎉 yes</p>"),
            ("so :+1:!", "<p>so 👍!</p>"),
            ("**:heart_eyes:**", "<p><strong>😍</strong></p>"),
            (":tada::tada:", '<p><span class="emoji-only">🎉🎉</span></p>'),
            ("`:tada:`", "<p><code>:tada:</code></p>"),
            (":nothing_like_it: 10:30:15", "<p>:nothing_like_it: 10:30:15</p>"),
            ("\\:tada:", "<p>:tada:</p>"),
        ],
    )
    def test_a_short_code_is_its_emoji(self, text: str, html: str) -> None:
        assert render(text) == html

    @pytest.mark.parametrize("text", ["👍", "❤️ 👍🏽 👨‍👩‍👧‍👦", "🇩🇪 1️⃣ ", "🎉" * 12])
    def test_a_few_of_them_alone_are_large(self, text: str) -> None:
        assert render(text) == f'<p><span class="emoji-only">{text.strip()}</span></p>'

    @pytest.mark.parametrize(
        "text", ["👍 yes", "🎉\n🎉", "🎉" * 13, "日本", "\x85", "   ", ":no_such_name:", "`👍`", "> 👍"]
    )
    def test_other_text_is_not(self, text: str) -> None:
        assert "emoji-only" not in render(text)

    def test_not_in_an_address(self) -> None:
        assert "🎉" not in render("https://a.example/:tada:")


class TestLinks:
    @pytest.mark.parametrize(
        ("text", "link"),
        [
            ("see https://example.com/a?b=c&d=e#f now", "https://example.com/a?b=c&d=e#f"),
            ("http://example.com", "http://example.com"),
            ("example.com/x", "https://example.com/x"),
            ("www.example.com/x", "https://www.example.com/x"),
            ("[here](https://example.com)", "https://example.com"),
            ("<https://example.com>", "https://example.com"),
            ("HTTPS://EXAMPLE.COM", "HTTPS://EXAMPLE.COM"),
            ("[mail](mailto:ann@example.com)", "mailto:ann@example.com"),
        ],
    )
    def test_an_address_is_clickable(self, text: str, link: str) -> None:
        checker = Checker(render(text))
        assert checker.links == [link]
        assert checker.wrong == []

    @pytest.mark.parametrize("text", ["ann@example.com", "//example.com/x", "ftp://example.com", "a.b", "e.g. this"])
    def test_not_everything_is_an_address(self, text: str) -> None:
        assert Checker(render(text)).links == []

    def test_x02_a_link_sends_no_referrer(self) -> None:
        html = render("https://example.com")
        assert 'rel="noopener noreferrer nofollow"' in html
        assert 'target="_blank"' in html

    def test_the_end_of_a_sentence_is_not_part_of_it(self) -> None:
        assert Checker(render("See https://example.com/a.")).links == ["https://example.com/a"]

    def test_a_title_is_kept_as_text(self) -> None:
        html = render('[a](https://example.com "x\\" onclick=alert(1) y")')
        assert Checker(html).wrong == []


EVIL = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</script><script>alert(1)</script>",
    "<svg onload=alert(1)>",
    "<!-- --><b>",
    "<?php ?>",
    "<![CDATA[x]]>",
    "<!DOCTYPE html>",
    "</p><p onclick=x>",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\nscript:alert(1))",
    "[x](java&#10;script:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x](%6aavascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](data:image/svg+xml,<svg>)",
    "[x](file:///etc/passwd)",
    "[x](//evil.example)",
    "[x](/logout)",
    "[x](\\\\evil.example)",
    "[x](https:evil.example)",
    "[x](?next=x)",
    "[x](#)",
    "[x]()",
    "![x](javascript:alert(1))",
    '![x](https://a.example/"onerror="alert(1))',
    '[x](https://a.example/"onmouseover="alert(1))',
    '[x](https://a.example "onmouseover=alert(1)")',
    "[x](https://a.example '\"><script>alert(1)</script>')",
    "[<img src=x onerror=alert(1)>](https://a.example)",
    "[a](<https://a.example/><script>)",
    "<javascript:alert(1)>",
    "<data:text/html,x>",
    "javascript:alert(1)",
    "javascript://a.example/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript://a.example",
    "[x]: javascript:alert(1)\n\n[x]",
    "[x]\n\n[x]: https://a.example 'title'",
    '```"><script>alert(1)</script>\nx\n```',
    '```x" onload="alert(1)\nx\n```',
    "~~~\n<script>alert(1)</script>\n~~~",
    "    <script>alert(1)</script>",
    "`<script>alert(1)</script>`",
    "``<b>``",
    "https://a.example/<script>alert(1)</script>",
    'https://a.example/"onclick="alert(1)',
    "https://a.example/'><b>",
    "https://a.example\\@evil.example/",
    "http://[::1]<b>",
    "mailto:x@a.example?body=<script>",
    "\u202ehttps://a.example",
    "<scr\0ipt>",
    "<\0script>",
    "\ufeff<script>",
    "<p style='position:fixed'>",
    "<form action=/logout><button>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "{{constructor.constructor('alert(1)')()}}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#x3C;script&#x3E;",
    "1. <b>\n   > <i>\n     - <u>",
    "```html\n<script>alert('x')</script><span class='k' onclick=x>\n```",
    "```js\n`</code></pre><img src=x onerror=alert(1)>`\n```",
    "```diff\n+<b>\n-</span>\n```",
    '```py"onload=x\ndef f(): pass\n```',
    '<span class="k">x</span>',
]


@pytest.mark.parametrize("text", EVIL, ids=ascii)
def test_x01_x02_only_allowed_html_is_rendered(text: str) -> None:
    for where in (text, f"hi {text} ho", f"> {text}", f"- {text}", f"*{text}*", f"a\n\n{text}\n\nb"):
        html = render(where)
        assert Checker(html).wrong == [], html


@pytest.mark.parametrize("text", EVIL[:9], ids=ascii)
def test_x01_raw_html_is_shown_as_it_was_typed(text: str) -> None:
    assert Checker(render(text)).text.strip() == text


PIECES = [
    *["<", ">", "&", '"', "'", "`", "*", "_", "~", "[", "]", "(", ")", "!", "\\", "#", "-", "+", "=", "|", ":"],
    *["\n", "\r", "\t", " ", "  ", "    ", "\0", "\x0b", "\x85", "\u2028", "\ufeff", "\u202e"],
    *["a", "b", "1.", "1)", "0", "é", "\U0001f600", "中", "//", "/", ".", "@", "?", "%", "%0a"],
    *["http://", "https://a.example", "www.a.com", "a.com", "mailto:", "javascript:", "data:", "<script>"],
    *[
        "</a>",
        "<a href=",
        "onerror=",
        "&#60;",
        "&lt;",
        "&amp;",
        "```",
        "```py\n",
        "```html\n",
        "~~~",
        "**",
        "~~",
        "](",
        "![",
        "> ",
        "- ",
    ],
    *["$", "$$", "$x$", "$$\n", "\\frac", "{", "}", "^", "\\href{a}", "\\text{"],
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=40).map("".join) | st.text(max_size=60)


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_any_text_renders_only_allowed_html(text: str) -> None:
    html = render(text)
    assert Checker(html).wrong == [], html


@settings(max_examples=400, deadline=None)
@given(TEXTS)
@example("a\nb")
@example("a  \nb")
@example("a \n b")
@example("1.\n2")
@example("12:30")
@example("a.b")
@example("a@b.example")
@example("e.g. x")
@example("a\n-\nb")
@example("=")
@example("\u00a0a\u00a0")
@example("0\u00a00")
@example("\u3000")
@example("a\u2003\nb")
@example("'\"")
@example("(c) -- ...")
@example(":-)")
@example("a:b")
@example("3) x")
@example("1234567890. x")
@example("a\n    b")
@example("www.a.com")
@example(":tada: a")
@example("a :tada:")
def test_the_fast_path_renders_like_the_parser(text: str) -> None:
    assert render(text) == slow(text)


@settings(max_examples=200, deadline=None)
@given(st.from_regex(rendering.WORDS, fullmatch=True))
def test_plain_words_have_no_markup(text: str) -> None:
    assert rendering.MARKUP.search(text) is None


@given(st.text(alphabet="ab cdé中\U0001f600.,;:!?()'-%$/\n@", max_size=60))
def test_ordinary_text_takes_the_fast_path(text: str) -> None:
    assert render(text) == slow(text)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(alphabet="abc é.,!?", min_size=1, max_size=9), min_size=1, max_size=5).map("\n".join))
def test_line_breaks_are_kept(text: str) -> None:
    lines = [line.strip() for line in text.split("\n")]
    shown = [line.strip() for line in Checker(render(text)).text.split("\n")]
    assert [line for line in shown if line] == [line for line in lines if line]


REPEATED = [
    *[">", "> ", "- > ", "1. - ", "[", "[[", "[a](", "![", "](", "[a][", "[]", "(", "`", "``a`", "`[", "*", "**a*"],
    *["_a", "*a_", "a**b_", "~~a", "~", "<", "<http://", "<!--", "</a>", "&", "&amp;", '"', "\\", "\\`", "\\["],
    *["://", "http://", "http://[", "http://a-", "http://a.", "http://a.com(", "ftp://", "a.a", "a@", "www.", "中."],
    *["- ", "+", "1.", "#", "```\n", "    ", "\t", "\n", "\r", "\0", "\u2028", "|a", "xn--", "mailto:", "//a.com "],
    *["$", "$x ", "$x^2$ ", "$$\n", "\\$"],
]


@pytest.mark.parametrize("piece", REPEATED, ids=ascii)
@pytest.mark.parametrize("end", ["", "a", "\n\na", "](x)"], ids=ascii)
def test_rendering_time_is_bounded(piece: str, end: str) -> None:
    """L19: quotes, brackets, backticks and asterisks nested as deep as a message goes."""
    text = (piece * LONGEST)[: LONGEST - len(end)] + end
    html = render(text)
    assert is_quick(lambda: render(text), MOST_SECONDS)
    assert len(html) < 60 * LONGEST
    assert Checker(html).wrong == []


@pytest.mark.parametrize("link", ["http://a.example ", "[x](mailto:a@b.example) ", "<http://a.example> "])
def test_more_links_than_anybody_reads_stay_text(link: str) -> None:
    assert len(Checker(render(link * 100)).links) == 100
    html = render(link * 101)
    assert Checker(html).links == []
    assert Checker(html).text.strip() == (link * 101).strip()


def test_nesting_is_limited() -> None:
    html = render("> " * 200 + "deep")
    assert html.count("<blockquote>") <= 20
    assert "- " * 5 not in html


def test_rendering_is_the_same_every_time_and_in_every_thread() -> None:
    from concurrent.futures import ThreadPoolExecutor

    texts = [f"*{n}* [a](https://a.example/{n}) `x`\n- {n}" for n in range(50)]
    expected = [render(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(render, texts * 4)) == expected * 4


@pytest.mark.parametrize("language", ["p'<script>')", "a&quot;b", "x" * 41, "päd", "c;d"])
def test_a_block_of_code_keeps_no_class_but_that_of_a_language(language: str) -> None:
    """The fuzzer found that whatever stood behind a fence became a class."""
    assert 'class="' not in render(f"```{language}\nx\n```")
    assert 'class="language-c++"' in render("```c++\nx\n```")


@settings(max_examples=400, deadline=None)
@given(TEXTS)
@example("see example.com:80/a")
@example("MAILTO:a@b.example")
def test_the_quick_check_misses_no_link(text: str) -> None:
    links = Links()
    assert links.test(text) or not links.match(text)
