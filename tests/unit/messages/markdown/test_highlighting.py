import re
from html import unescape
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatroom.messages.markdown import highlighting
from chatroom.messages.markdown.highlighting import BURST_SECONDS, CLASSES, LANGUAGES, LONGEST, Colours, highlight
from tests.speed import is_quick

MOST_SECONDS = 0.3


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is highlighted does not depend on how quick the machine is."""
    monkeypatch.setattr(highlighting, "MOST_SECONDS", 60)


def text_of(html: str) -> str:
    """What is left without the spans, which are all that may be there."""
    assert set(re.findall(r"<[^>]*>", html)) <= {f'<span class="{name}">' for name in CLASSES} | {"</span>"}
    return unescape(re.sub(r"</?span[^>]*>", "", html))


@pytest.mark.parametrize(
    ("language", "code", "span"),
    [
        ("py", "def f(): pass\n", '<span class="k">def </span><span class="nf">f</span>'),
        ("python", "x = 'a'\n", '<span class="s">&#x27;a&#x27;\n</span>'),
        ("JS", "// why\n", '<span class="c">// why\n</span>'),
        ("sh", "echo 1 # x\n", '<span class="c"># x\n</span>'),
        ("diff", "-a\n+b\n", '<span class="gd">-a\n</span><span class="gi">+b\n</span>'),
        ("html", "<a href='x'>\n", '<span class="nt">a </span>'),
        ("json", '{"a": 1}\n', '<span class="m">1</span>'),
        ("c++", "int x;\n", '<span class="kt">int </span>'),
    ],
)
@pytest.mark.usefixtures("patient")
def test_known_languages_have_colours(language: str, code: str, span: str) -> None:
    html = highlight(code, language)
    assert span in html
    assert text_of(html) == code


@pytest.mark.parametrize("language", ["", "text", "nope", "brainfuck", "__class__", '"><script>', "py ", "\0"])
def test_unknown_names_stay_unchanged(language: str) -> None:
    assert highlight("x = 1\n", language) == ""


def test_every_language_is_one_of_pygments_own() -> None:
    assert {highlighting._names().get(name.lower()) for name in LANGUAGES} == LANGUAGES


@pytest.mark.usefixtures("patient")
def test_long_code_stays_as_it_is() -> None:
    assert highlight("1\n" * (LONGEST // 2), "py")
    assert highlight("1\n" * (LONGEST // 2) + "1", "py") == ""


def test_too_slow_code_stays_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(highlighting, "MOST_SECONDS", -1)
    assert highlight("x = 1\n", "py") == ""


@pytest.mark.parametrize("code", ["a\r\nb\n", "\ufeffa\n", "\n\na\n\n", "a", " \n"], ids=ascii)
def test_not_a_character_is_lost(code: str) -> None:
    assert text_of(highlight(code, "py")) in {code, ""}


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(LANGUAGES)), st.text(alphabet="ab1 \n\t\"'`<>&{}()[]/\\*#@$%+-=.;:!|~^é", max_size=80))
def test_any_code_is_rendered_with_known_classes(language: str, code: str) -> None:
    assert text_of(highlight(code, language)) in {code, ""}


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_highlighting_time_is_bounded(language: str) -> None:
    """What was found to make one lexer or another slow; a slow expression cannot be stopped in its middle."""
    highlight("a\n", language)
    for piece in ('"', "'", "`", "/*", "<!--", "{{", "a(", "[", "\\", "a-", " ", "\n", "#{", "<a "):
        code = "a = " + piece * (4000 // len(piece))
        assert is_quick(lambda code=code: highlight(code, language), MOST_SECONDS), piece


class Cost:
    """Code that takes as long as the test says, of a processor that does nothing else."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.spent = 0.0
        self.takes = 0.01
        self.asked: list[float] = []
        self.colours = Colours(lambda: self.now)
        monkeypatch.setattr(highlighting, "highlight", self.highlight)
        monkeypatch.setattr(highlighting, "time", SimpleNamespace(thread_time=lambda: self.spent))

    def highlight(self, _: str, __: str, most_seconds: float) -> str:
        self.asked.append(most_seconds)
        self.spent += self.takes
        return "coloured"

    def post(self, person: str = "mallory", blocks: int = 1) -> int:
        """How many blocks of a message get colours."""
        highlight = self.colours.of(person)
        return sum(bool(highlight("x", "py")) for _ in range(blocks))


class TestColours:
    """L17."""

    @pytest.fixture
    def cost(self, monkeypatch: pytest.MonkeyPatch) -> Cost:
        return Cost(monkeypatch)

    def test_a_message_has_so_much_time_for_all_its_code(self, cost: Cost) -> None:
        assert cost.post(blocks=20) == 5
        assert cost.asked == pytest.approx([0.05, 0.04, 0.03, 0.02, 0.01])

    def test_a_used_up_time_budget_affects_only_its_user(self, cost: Cost) -> None:
        cost.takes = 0.0625
        assert [cost.post() for _ in range(7)] == [1] * 5 + [0] * 2
        assert cost.post("bob") == 1

    def test_the_budget_recovers(self, cost: Cost) -> None:
        cost.takes = BURST_SECONDS
        assert [cost.post(), cost.post()] == [1, 0]
        cost.now += 1
        assert cost.post() == 1  # one expression takes as long as it takes
        cost.now += 10
        assert cost.post() == 0  # and is counted
        cost.now += 3600
        assert cost.colours.left("mallory") == BURST_SECONDS

    def test_so_many_people_are_remembered(self, cost: Cost, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(highlighting, "MOST_PEOPLE", 2)
        for person in ("alice", "bob"):
            cost.post(person)
        cost.now += 3600
        cost.post("carol")
        assert set(cost.colours._left) == {"carol"}
