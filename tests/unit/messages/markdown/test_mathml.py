"""Formulas become MathML that runs, loads and covers nothing; the sanitizer allows what the library can write."""

from html.parser import HTMLParser
from typing import Any

import pytest
from latex2mathml import commands
from latex2mathml.converter import convert_to_element

from chatroom.messages.markdown.mathml import ATTRIBUTES, BLOCK, DEEPEST, INLINE, LONGEST, TAGS, make_mathml
from chatroom.messages.markdown.rendering import render
from tests.speed import is_quick

MOST_SECONDS = 0.3
LEFT_OUT = {"href", "style", "class", "mathcolor", "mathbackground", "border-color", "mathsize", "xmlns", "voffset"}
"""The library can write these attributes, but a message may not have them."""

EXAMPLES = r"""
\frac12 ; \binom{n}{k} ; \genfrac[]{1pt}{0}{a}{b} ; \sqrt[3]{x} ; \left\{\frac{a}{b}\middle|c\right] ; \overbrace{a}^{b}
\begin{pmatrix}1&2\\3&4\end{pmatrix} ; \begin{array}{c|c}1&2\\\hline 3&4\end{array} ; \begin{cases}1&x\end{cases}
\begin{smallmatrix}a\end{smallmatrix} ; \begin{aligned}a&=b\\c&=d\end{aligned} ; \begin{gather}a\\b\end{gather}
\sum\limits_{i=1}^n ; \lim_{x\to0} ; \operatorname*{arg}_x ; \mathbb{R} ; \mathbf{ab} ; \boxed{x} ; \cancel{x}
\phantom{x}y ; \smash{x} ; \raise{1pt}{x} ; \rule{1em}{1em}x ; \hspace{1em}x ; \xrightarrow[a]{b} ; \bra{x} ; \LaTeX
\hat x_1^2 ; \not= ; \color{red}{x} ; \textcolor{red}{x} ; \colorbox{red}{x} ; \fcolorbox{red}{blue}{x} ; \Huge x
\sideset{_1}{^2}\sum ; \mathchoice{a}{b}{c}{d} ; x\tag{1} ; \idotsint ; \| ; \smallint ; \bigl(x\bigr) ; \llap{x}
\displaystyle x ; \mathpunct{x} ; \mathrel{x} ; \mathbin{x} ; a\over b ; \eqalign{a} ; \displaylines{a}
\style{a}{x} ; \class{a}{x} ; \href{a}{x} ; a \\ b ; \bar x ; \tilde x ; \overline{x} ; \begin{split}a&=b\end{split}
"""


class Reader(HTMLParser):
    """The elements and attributes of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: dict[str, set[str]] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, set()).add(value)


def written_by_the_library() -> Any:
    tags = {tag for tag, _ in commands.CONVERSION_MAP.values()} | {"math", "mtr", "mtd", "mn"}
    names = {name for _, attributes in commands.CONVERSION_MAP.values() for name in attributes}
    for tex in EXAMPLES.strip().replace("\n", ";").split(";"):
        for element in convert_to_element(tex, display="block").iter():
            tags.add(element.tag)
            names |= set(element.attrib)
    return tags, names


def test_x01_the_sanitizer_allows_what_the_library_writes_except_links_styles_and_colours() -> None:
    tags, names = written_by_the_library()
    assert tags == TAGS
    assert names - LEFT_OUT == ATTRIBUTES
    assert not LEFT_OUT & ATTRIBUTES


@pytest.mark.parametrize(
    "tex",
    [
        r"\href{javascript:alert(1)}{x}",
        r"\style{position:fixed}{x}",
        r"\class{button}{x}",
        r"\newcommand{\a}{\a\a}\a",
        r"\def\a{\a\a}\a",
        r"\DeclareMathOperator{\a}{b}",
        r"\unicode{x3c}",
        r"\foo{x}",
        r"\begin{foo}x",
        r"a & b",
        r"\frac{1}",
        r"\left( x",
        r"x_1_2",
        r"\quad",
        r"\phantom{}",
        r"\phantom{xy}",
        r"\hphantom{xy}\mathstrut",
        r"\text{ }",
        "{" * (DEEPEST + 1) + "x" + "}" * (DEEPEST + 1),
        r"\hat" * 200 + "x",
        "x" * (LONGEST + 1),
    ],
)
def test_x01_other_formulas_are_shown_as_their_source(tex: str) -> None:
    assert make_mathml(tex, INLINE) == make_mathml(tex, BLOCK) == ""
    assert Reader(render(f"$$\n{tex}\n$$")).tags <= {"p", "br", "em"}


def test_x01_a_formula_cannot_escape_from_its_element() -> None:
    html = render(r"$\text{<img src=x onerror=a> &lt;b&gt;} < \text{</math><script>} + \color{\"><b>}{x}$")
    assert Reader(html).tags <= {"p", "span", *TAGS}
    assert "&lt;img src=x" in html


@pytest.mark.parametrize(
    "tex",
    [
        r"\kern-0.9em",
        r"\hspace{99em}",
        r"\raise{-50em}",
        r"\raise{0.9em}",
        r"\moveright{0.9em}",
        r"\smash",
        r"\llap{a}",
        r"\rule{99em}{99em}",
        r"\Huge\Huge",
    ],
)
def test_x01_a_formula_covers_no_other_text(tex: str) -> None:
    attributes = Reader(render(rf"$x {tex} {{y}} z$")).attributes
    assert not {"mathsize", "mathbackground"} & set(attributes)
    for name in ("width", "height", "depth", "voffset", "lspace"):
        assert name not in attributes


@pytest.mark.parametrize(
    ("tex", "part"),
    [
        (r"50\%", "%"),
        ("5% x", "%"),
        (r"\begin{aligned}a&=b\\c&=d\end{aligned}", "<mtr>"),
        (r"a &= b \\ c &= d", "<mtr>"),
        (r"\text{если}", "если"),
        (r"a < b", "&lt;"),
        (r"\mathbb{R}", "ℝ"),
    ],
)
def test_formulas_of_every_day(tex: str, part: str) -> None:
    assert part in make_mathml(tex, BLOCK)


@pytest.mark.parametrize(
    "piece",
    [
        "x",
        "{",
        "x^",
        "x_1^2",
        "'",
        "&",
        r"\\",
        r"\left(",
        r"\sqrt[",
        r"\frac",
        r"\text{",
        r"\begin{matrix}",
        r"\hbox{$x$}",
        "-1",
        " ",
    ],
)
def test_l17_the_time_of_a_formula_is_bounded(piece: str) -> None:
    make_mathml("x", INLINE)
    tex = "x" + piece * (LONGEST // len(piece) - 1)
    assert is_quick(lambda: make_mathml(tex, BLOCK), MOST_SECONDS)


@pytest.mark.parametrize(
    "text", ["$" * 4000, "$x" * 2000, "$x $" * 1000, r"$\$" * 1300, "a $1" * 1000, "$$\n" * 1300, "$x$ " * 1000]
)
def test_l17_the_time_of_many_dollar_signs_is_bounded(text: str) -> None:
    """L19."""
    assert is_quick(lambda: render(text, highlight=lambda *_: ""), MOST_SECONDS)


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("$$\n\\frac{1}{2}\n$$", {"p", "span", "math", "mrow", "mfrac", "mn"}),
        ("a\n$$x$$\nb", {"p", "span", "math", "mrow", "mi"}),
        ("> $$x$$", {"blockquote", "p", "span", "math", "mrow", "mi"}),
        ("$$\nget rich quick\n$$", {"p", "br"}),
        ("$$\na\n\nb\n$$", {"p", "br"}),
        ("$$ $$", {"p"}),
        ("$$\nx", {"p", "br"}),
        ("```\n$$\nx\n$$\n```", {"pre", "code"}),
        ("[a](https://example.org/$x$) https://example.org/?a=$x$", {"p", "a"}),
    ],
)
def test_formulas_in_their_own_lines(text: str, tags: set[str]) -> None:
    assert Reader(render(text)).tags == tags


def test_the_source_of_a_formula_is_kept_for_copies() -> None:
    html = render("See $a<b$")
    assert html.endswith('</math><span class="formula-source" aria-hidden="true">$a&lt;b$</span></span></p>')
    assert '<span class="formula" dir="ltr"><math display="inline">' in html
