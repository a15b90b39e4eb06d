"""What a text may be, whom it names, and its code."""

import re

import pytest

from chatroom.base.errors import Refused
from chatroom.base.models import Person
from chatroom.messages.markdown.rendering import render
from chatroom.messages.messages_store import MessageStore
from chatroom.messages.texts import Texts
from chatroom.rooms.access import LOBBY
from tests.messaging import Messaging, new_draft
from tests.people import ALICE, BOB, access
from tests.unit.messages.lobby import LONGEST, NOW, edit, say


class TestText:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            " ",
            "\n\t\r\n",
            "\u00a0\u2003\u3000",
            "\u200b",
            "\u200b \u200b \u200b",
            "\u200d\u2060\ufeff",
            "\u00ad",
            "\u034f",
            "\u061c\u200e\u200f",
            "\u202a\u202e\u2066\u2069",
            "\u115f\u1160\u3164\uffa0",
            "\u180e\u17b4",
            "\ufe0f",
            "\U000e0020\U000e007f",
            "\u2800",
            "\ufff9\ufffb",
            "\0",
            "\x1b\x7f\x85",
            "\u2028\u2029",
        ],
        ids=ascii,
    )
    def test_l01_nothing_that_can_be_seen_is_empty(self, messages: Messaging, text: str) -> None:
        with pytest.raises(Refused) as refusal:
            messages.texts.check(text)
        assert refusal.value.reason == "empty"

    @pytest.mark.parametrize(
        "text",
        [
            "a",
            ".",
            "\u200ba",
            "\0.",
            "\u2764\ufe0f",
            "\U0001f468\u200d\U0001f469",
            "\u0645",
            "\u0301",
            "\ue000",
            "$where",
            "a.b",
            "{{7*7}}",
            "%s",
        ],
        ids=ascii,
    )
    def test_a_text_needs_a_visible_character(self, messages: Messaging, text: str) -> None:
        messages.texts.check(text)

    @pytest.mark.parametrize(
        "text",
        [
            "```",
            "```\n```",
            "```py",
            "```py\n\n\n```",
            "``` \n \t\n```  ",
            "~~~~",
            "~~~\n\u200b\n~~~",
            "```\n```\n\n```js\n```",
            "> ```py\n> ```",
            "- ```\n  ```",
            "` `",
            "[\u200b](https://example.org)",
            ">\n>",
            "| |\n|-|",
            "```\n\u3164\n```",
            "`\u2800`",
            "[\u3164](https://a.example)",
            "```" + "\n" * (LONGEST - 6) + "```",
        ],
        ids=ascii,
    )
    def test_marks_without_a_text_are_empty(self, messages: Messaging, text: str) -> None:
        with pytest.raises(Refused, match="Its marks, such as `") as refusal:
            messages.texts.check(text, may_be_empty=True)
        assert refusal.value.reason == "empty"

    @pytest.mark.parametrize(
        "text",
        [
            *[
                "```\n.\n```",
                "```py\n```js",
                "```\na",
                "*",
                "-",
                "+",
                "**",
                "***",
                "---",
                "#",
                "##",
                ">",
                ">>",
                ">>>",
                "1.",
            ],
            *[
                "_",
                "`",
                "``",
                "\\",
                "|",
                "[]",
                "()",
                "[]()",
                "[](https://a.example)",
                "$$",
                "$ $",
                "$\\quad$",
                "$\\phantom{x}$",
                "~",
                "~~",
            ],
            *["?!", "…", "&nbsp;", "&", "- [ ]", "👍", ":x:"],
        ],
        ids=ascii,
    )
    def test_marks_that_are_shown_are_a_text(self, messages: Messaging, text: str) -> None:
        messages.texts.check(text)
        assert render(text) != ""
        assert re.search(r">[^<\s]", render(text))

    @pytest.mark.parametrize("character", ["x", "é", "\U0001f600", "\n."])
    def test_l01_the_length_is_counted_in_characters(self, messages: Messaging, character: str) -> None:
        longest = (character * LONGEST)[:LONGEST]
        messages.texts.check(longest)
        with pytest.raises(Refused, match=rf"{LONGEST + 1} characters, and at most {LONGEST}") as refusal:
            messages.texts.check(longest + "x")
        assert refusal.value.reason == "too_long"

    def test_zero_is_no_limit(self, store: MessageStore) -> None:
        Texts(0, lambda *_: ()).check("x" * 100_000)

    def test_long_gaps_between_signs_take_linear_time(self) -> None:
        """L19: a quadratic check would take minutes."""
        Texts(0, lambda *_: ()).check("." + " " * 100_000 + ".\n.")

    @pytest.mark.parametrize("text", ["a\ud800", "\udfffb", "\ud800", "é\udc00"], ids=ascii)
    def test_u07_half_a_character_is_refused(self, messages: Messaging, text: str) -> None:
        with pytest.raises(Refused) as refusal:
            messages.texts.check(text)
        assert refusal.value.reason == "invalid"

    def test_the_text_is_kept_as_it_was_typed(self, messages: Messaging) -> None:
        assert say(messages, "  *hi*\r\n ").text == "  *hi*\r\n "


class TestMentions:
    @pytest.fixture
    def naming(self, store: MessageStore) -> Messaging:
        """Messages in which whoever is called Bob can be named."""
        bob = Person(id=BOB.id, username="bob", name="Bob <b>")
        return Messaging(
            store, max_length=LONGEST, find_mentions=lambda _, text: (bob,) if "@bob" in text else (), clock=lambda: NOW
        )

    def test_a_post_mentions_a_person(self, naming: Messaging) -> None:
        draft = naming.texts.with_mentions(access(ALICE, LOBBY), new_draft(ALICE, "hi @bob", "a1"))
        message = naming.post(LOBBY, draft).message
        assert message.mentions == (BOB.id,)
        assert message.html == f'<p>hi <span class="mention" data-user="{BOB.id}" dir="auto">@Bob &lt;b&gt;</span></p>'

    def test_an_edit_changes_the_mentions(self, naming: Messaging) -> None:
        message = say(naming, "hi")
        assert edit(naming, ALICE, message.id, "hi @bob").mentions == (BOB.id,)
        assert edit(naming, ALICE, message.id, "hi").mentions == ()

    def test_a_draft_without_mentions_is_unchanged(self, naming: Messaging) -> None:
        draft = new_draft(ALICE, "hi", "a1")
        assert naming.texts.with_mentions(access(ALICE, LOBBY), draft) is draft


CODE = "```py\ndef f(): pass\n```"


class TestCode:
    """L17: colouring takes long; nobody else's post waits for it."""

    def test_it_is_coloured_before_it_is_queued(self, messages: Messaging, monkeypatch: pytest.MonkeyPatch) -> None:
        ready = messages.texts.with_code(new_draft(ALICE, CODE, "c1"))
        assert '<span class="k">' in ready.html
        monkeypatch.setattr(messages.texts._colours, "of", lambda _: pytest.fail("it is coloured in the queue"))
        assert messages.append("lobby", [ready])[0].message.html == ready.html

    def test_other_texts_are_left_to_the_writer(self, messages: Messaging) -> None:
        plain = new_draft(ALICE, "*hello*")
        assert messages.texts.with_code(plain) is plain

    def test_an_edit_is_counted_as_a_post_is(self, messages: Messaging) -> None:
        message = say(messages, "hello")
        messages.texts._colours._take(ALICE.id, 60)
        assert "span" not in edit(messages, ALICE, message.id, CODE).html
        assert "span" not in say(messages, CODE).html
        assert '<code class="language-py">' in say(messages, CODE, "c2").html
        posted = messages.post(LOBBY, new_draft(BOB, CODE)).message
        assert "span" in posted.html
