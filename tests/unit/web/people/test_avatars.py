"""Pictures of people: chosen on the account's page, shown by a style sheet."""

import io
import re
from typing import Any

from flask import Flask

from tests.conftest import services_of
from tests.pictures import make_picture
from tests.visitors import Visitor, problem


def choose(person: Visitor, content: bytes | None = None, **more: Any) -> Any:
    data = {"csrf_token": person.fields("/account")["csrf_token"], **more}
    if content is not None:
        data["picture"] = (io.BytesIO(content), "me.png")
    return person.post("/account/avatar", data=data, content_type="multipart/form-data", follow_redirects=True)


def sheet_of(person: Visitor, path: str = "/chatroom") -> str:
    found = re.search(r'href="(/avatars/\w+\.css)"', person.get(path).text)
    return found[1] if found else ""


def test_a_picture_is_laid_over_the_initials(alice: Visitor, bob: Visitor, app: Flask) -> None:
    assert sheet_of(bob) == ""
    assert "Your picture was changed" in choose(alice, make_picture("PNG", (900, 900))).text
    user = services_of(app).people.users.find_by_username("alice")
    assert user
    for path in ("/chatroom", "/chatroom/lobby/messages", "/account", "/rooms", "/search"):
        answer = bob.get(sheet_of(bob, path))
        assert answer.content_type == "text/css; charset=utf-8"
        assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
        assert f'.avatar[data-person="{user.id}"]' in answer.text
    alice.say("hello")
    assert f'data-person="{user.id}"' in bob.get("/chatroom").text
    small, large = re.findall(r'url\("([^"]+)"\)', answer.text)
    for address in (small, large):
        picture = bob.get(address)
        assert (picture.content_type, picture.data[8:12]) == ("image/webp", b"WEBP")
        assert "immutable" in picture.headers["Cache-Control"]
    assert len(bob.get(large).data) > len(bob.get(small).data)


def test_it_can_be_removed(alice: Visitor) -> None:
    choose(alice, make_picture("PNG"))
    (address, _) = re.findall(r'url\("([^"]+)"\)', alice.get(sheet_of(alice)).text)
    assert "removed" in choose(alice, remove="1").text
    assert sheet_of(alice) == ""
    assert alice.get(address).status_code == 404


def test_only_who_has_a_picture_is_offered_to_remove_it(alice: Visitor) -> None:
    assert "Remove it" not in alice.get("/account").text
    choose(alice, make_picture("PNG"))
    assert "Remove it" in alice.get("/account").text


def test_an_old_sheet_is_as_it_is_now_and_not_kept(alice: Visitor) -> None:
    answer = alice.get("/avatars/0000.css")
    assert (answer.status_code, answer.text, answer.headers["Cache-Control"]) == (200, "", "no-store")


def test_invalid_input_gets_an_error(alice: Visitor) -> None:
    assert problem(choose(alice)) == "Choose a picture first."
    assert choose(alice).status_code == 400
    assert problem(choose(alice, b"<svg onload=alert(1)>")).startswith("Choose a picture: a JPEG")
    assert "has expired" in problem(choose(alice, make_picture("PNG"), csrf_token="wrong"))
    assert sheet_of(alice) == ""
