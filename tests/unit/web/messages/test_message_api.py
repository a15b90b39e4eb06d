"""The JSON API of one message."""

from typing import Any

import pytest

from chatroom.services import Services
from tests.conftest import MakeApp, signed_in
from tests.visitors import LOBBY, Visitor, post, texts


@pytest.fixture
def path(alice: Visitor) -> str:
    """A message of Alice's."""
    return f"{LOBBY}/{post(alice, '*one*').get_json()['id']}"


def edit(person: Visitor, path: str, text: Any, **more: Any) -> Any:
    return person.patch(path, json={"text": text, **more}, headers=person.csrf())


class TestReading:
    def test_as_it_was_typed_and_as_it_is_shown(self, bob: Visitor, path: str) -> None:
        assert bob.get(path).get_json()["text"] == "*one*"
        assert bob.get(f"{path}?format=html").get_json()["html"].strip() == "<p><em>one</em></p>"
        assert bob.get(f"{path}?format=xml").status_code == 400

    @pytest.mark.parametrize("id", ["0" * 24, "x", "$ne", "0" * 25, "%00", "é"])
    def test_there_is_no_such_message(self, alice: Visitor, id: str) -> None:
        for answer in (
            alice.get(f"{LOBBY}/{id}"),
            edit(alice, f"{LOBBY}/{id}", "two"),
            alice.delete(f"{LOBBY}/{id}", headers=alice.csrf()),
        ):
            assert (answer.status_code, answer.get_json()["error"]["reason"]) == (404, "not_found")


class TestEditing:
    def test_it_has_another_text(self, alice: Visitor, path: str) -> None:
        answer = edit(alice, path, "two", revision=1)
        assert answer.status_code == 200
        assert (answer.get_json()["sequence"], answer.get_json()["revision"]) == (1, 2)
        message = alice.get(path).get_json()
        assert message["text"] == "two"
        assert message["edited_at"] >= message["sent_at"]

    def test_a_late_one_is_refused(self, alice: Visitor, path: str) -> None:
        edit(alice, path, "two", revision=1)
        answer = edit(alice, path, "late", revision=1)
        assert (answer.status_code, answer.get_json()["error"]["reason"]) == (409, "conflict")
        assert edit(alice, path, "two", revision=1).status_code == 200  # the same again

    @pytest.mark.parametrize("body", [{}, {"text": 7}, {"text": "a", "revision": "1"}, {"text": "a", "x": 1}, [], None])
    def test_anything_else_is_invalid(self, alice: Visitor, path: str, body: Any) -> None:
        answer = alice.patch(path, json=body, headers=alice.csrf())
        assert (answer.status_code, answer.get_json()["error"]["reason"]) == (400, "invalid")

    @pytest.mark.parametrize(("text", "reason"), [(" ", "empty"), ("x" * 4001, "too_long")])
    def test_texts_that_are_refused(self, alice: Visitor, path: str, text: str, reason: str) -> None:
        assert edit(alice, path, text).get_json()["error"]["reason"] == reason


class TestDeleting:
    def test_nothing_of_it_is_left(self, alice: Visitor, services: Services, path: str) -> None:
        for _ in range(2):  # again does no harm
            assert alice.delete(path, headers=alice.csrf()).status_code == 200
        message = alice.get(path).get_json()
        assert "text" not in message
        assert message["deleted_at"]
        assert texts(services) == [""]
        assert edit(alice, path, "back").get_json()["error"]["reason"] == "not_found"


class TestAccess:
    def test_only_its_author(self, alice: Visitor, bob: Visitor, path: str) -> None:
        assert edit(bob, path, "mine now").status_code == 403
        assert bob.delete(path, headers=bob.csrf()).status_code == 403
        assert alice.get(path).get_json()["text"] == "*one*"

    def test_a_moderator_deletes_and_does_not_edit(self, services: Services, bob: Visitor, path: str) -> None:
        user = services.people.users.find_by_username("bob")
        assert user
        services.people.states.set_role(user.id, "moderator")
        assert edit(bob, path, "mine now").status_code == 403
        assert bob.delete(path, headers=bob.csrf()).status_code == 200

    def test_a_cookie_needs_the_csrf_token(self, alice: Visitor, path: str) -> None:
        """C01."""
        assert alice.patch(path, json={"text": "two"}).status_code == 403
        assert alice.delete(path).status_code == 403

    def test_changes_count_as_posts(self, make_app: MakeApp) -> None:
        """L08."""
        alice = signed_in(make_app(post_limit_account="2 per minute"), "alice")
        path = f"{LOBBY}/{post(alice, 'one').get_json()['id']}"
        assert edit(alice, path, "two").status_code == 200
        assert edit(alice, path, "three").status_code == 429
        assert alice.delete(path, headers=alice.csrf()).status_code == 429
