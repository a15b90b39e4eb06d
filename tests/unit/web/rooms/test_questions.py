"""What cannot be undone asks first, also without scripts: the button of the form is in a popover with the question."""

import re

import pytest

from tests.visitors import Visitor, make_room


def forms_of(page: str, action: str) -> list[str]:
    """The forms of a page whose address ends so."""
    return re.findall(rf'<form[^>]* action="[^"]*/{action}">.*?</form>', page, re.DOTALL)


@pytest.fixture
def room(alice: Visitor) -> str:
    """A room of Alice with a link, two webhooks and a member; and a site with an invite and a token."""
    slug = make_room(alice)
    alice.submit(f"/rooms/{slug}/invites", uses="5", hours="24")
    hooks = f"/chatroom/{slug}/webhooks"
    alice.submit(hooks, kind="incoming", name="<CI>")
    alice.submit(hooks, kind="incoming", name="Logs")
    alice.submit("/admin/joining", to="/admin/invites", uses="3", days="7")
    return slug


@pytest.mark.parametrize(
    ("path", "action", "says"),
    [
        ("/rooms/{slug}/invites", "end", ["Revoke this link?", "5 people could still", "cannot be undone"]),
        (
            "/chatroom/{slug}/webhooks",
            "remove",
            ["Remove the webhook &lt;CI&gt;?", "refused at once", "another address"],
        ),
        ("/admin/joining", "revoke", ["Revoke this invite?", "3 people still could", "cannot be undone"]),
        ("/rooms/{slug}/about", "leave", ["Leave Den?", "cannot come back by yourself", "Your messages stay"]),
    ],
)
def test_the_question_stands_before_the_button(
    alice: Visitor, room: str, path: str, action: str, says: list[str]
) -> None:
    form = forms_of(alice.get(path.format(slug=room)).text, action)[0]
    before, popover = form.split("popover role")
    assert 'type="submit"' not in before, "the first button only opens the question"
    [id] = re.findall(r'type="button" popovertarget="([^"]+)"', before)
    assert f'id="{id}"' in before
    assert popover.index("</p>") < popover.index('type="submit"')
    for words in says:
        assert words in popover
    assert f'popovertarget="{id}" popovertargetaction="hide">Cancel' in popover


def test_each_question_of_a_page_has_its_own_place(alice: Visitor, room: str) -> None:
    page = alice.get(f"/chatroom/{room}/webhooks").text
    ids = re.findall(r'id="(ask[^"]+)" popover', page)
    assert len(set(ids)) == len(ids) == 2
