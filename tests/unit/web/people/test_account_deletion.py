"""The pages that delete an account: one's own, and somebody else's."""

import re

import pytest
from flask import Flask

from chatroom.services import Services
from tests.conftest import MakeApp, services_of, signed_in, visitor
from tests.visitors import PASSWORD, Visitor, problem

DELETE = "/account/delete"
RIGHT = {"way": "keep", "confirmation": "bob", "password": PASSWORD}


def id_of(services: Services, name: str) -> str:
    user = services.people.users.find_by_username(name)
    assert user
    return user.id


def is_there(services: Services, name: str) -> bool:
    return services.people.users.find_by_username(name) is not None


class TestOwn:
    def test_the_account_page_links_to_it_and_it_offers_the_data_first(self, bob: Visitor) -> None:
        assert f'href="{DELETE}"' in bob.get("/account").text
        page = bob.get(DELETE).text
        assert page.index('href="/account/data"') < page.index(f'action="{DELETE}"')
        assert "checked" not in page

    def test_keep(self, alice: Visitor, bob: Visitor, app: Flask) -> None:
        bob.say("good morning")
        response = bob.submit(DELETE, **RIGHT)
        assert (response.status_code, response.location) == (303, "/login")
        assert "Your account was deleted" in bob.get("/login").text
        assert not bob.is_signed_in
        page = alice.get("/chatroom").text
        assert "good morning" in page
        assert "Former member" in page
        assert "Bob" not in page
        again = visitor(app).log_in("bob")
        assert (again.status_code, problem(again)) == (401, "Wrong user name or password.")

    def test_erase(self, alice: Visitor, bob: Visitor) -> None:
        bob.say("good morning")
        assert bob.submit(DELETE, **RIGHT | {"way": "erase"}).status_code == 303
        page = alice.get("/chatroom").text
        assert "good morning" not in page
        assert "This message was deleted" in page
        assert "Bob" not in alice.get("/chatroom/lobby/export?format=html").text

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"way": ""}, "Choose what happens to the messages."),
            ({"way": "both"}, "Choose what happens to the messages."),
            ({"confirmation": "alice"}, "This is not the user name."),
            ({"confirmation": ""}, "This is not the user name."),
            ({"password": ""}, "Type your password."),
            ({"password": "wrong"}, "This is not your password."),
        ],
    )
    def test_errors_are_shown_at_their_field(
        self, bob: Visitor, services: Services, wrong: dict[str, str], said: str
    ) -> None:
        response = bob.submit(DELETE, **RIGHT | wrong)
        assert response.status_code == 400
        assert problem(response) == f"Please correct the marked fields. {said}"
        assert PASSWORD not in response.text
        assert is_there(services, "bob")
        assert bob.is_signed_in

    def test_the_choice_is_kept(self, bob: Visitor) -> None:
        page = bob.submit(DELETE, **RIGHT | {"way": "erase", "password": "wrong"}).text
        (chosen,) = [tag for tag in re.findall(r"<input[^>]*>", page) if " checked" in tag]
        assert 'value="erase"' in chosen
        assert 'value="bob"' in page

    def test_nothing_at_all(self, bob: Visitor, services: Services) -> None:
        assert bob.submit(DELETE).status_code == 400
        assert is_there(services, "bob")

    def test_tries_are_counted_as_log_ins(self, make_app: MakeApp) -> None:
        """M10."""
        app = make_app(login_limit_account="2 per hour")
        signed_in(app, "alice")
        bob = signed_in(app, "bob")
        statuses = [bob.submit(DELETE, **RIGHT | {"password": "wrong"}).status_code for _ in range(3)]
        assert statuses == [400, 400, 429]
        assert bob.submit(DELETE, **RIGHT).status_code == 429
        assert is_there(services_of(app), "bob")

    def test_the_last_administrator_gets_instructions(self, alice: Visitor, services: Services) -> None:
        page = alice.get(DELETE)
        assert page.status_code == 200
        assert "Make another user an administrator first" in page.text
        assert 'name="password"' not in page.text
        response = alice.submit("/account", to=DELETE, **RIGHT | {"confirmation": "alice"})
        assert response.status_code == 409
        assert is_there(services, "alice")

    def test_another_administrator_may_go(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        services.moderation.moderation.set_role(
            None, services.moderation.moderation.get(id_of(services, "bob")), "administrator"
        )
        assert alice.submit(DELETE, **RIGHT | {"confirmation": "alice"}).status_code == 303
        assert not is_there(services, "alice")

    def test_without_its_token_it_does_nothing(self, bob: Visitor, services: Services) -> None:
        """M10, C01."""
        assert bob.post(DELETE, data=RIGHT).status_code == 400
        assert is_there(services, "bob")

    def test_a_token_is_no_session(self, bob: Visitor, app: Flask, services: Services) -> None:
        """M10, S03: a program with every scope cannot delete its owner."""
        user = services.moderation.moderation.get(id_of(services, "bob"))
        token = services.people.sessions.create_token(user, label="x", scopes=("read", "post", "moderate"))
        program = visitor(app)
        headers = {"Authorization": f"Bearer {token}", **program.csrf()}
        response = program.post(DELETE, data=RIGHT, headers=headers)
        assert (response.status_code, response.location.partition("?")[0]) == (303, "/login")
        assert is_there(services, "bob")

    def test_other_browsers_and_programs_are_out(self, bob: Visitor, app: Flask, services: Services) -> None:
        elsewhere = visitor(app)
        elsewhere.log_in("bob")
        user = services.moderation.moderation.get(id_of(services, "bob"))
        headers = {"Authorization": f"Bearer {services.people.sessions.create_token(user, label='x')}"}
        assert bob.submit(DELETE, **RIGHT).status_code == 303
        assert not elsewhere.is_signed_in
        assert visitor(app).get("/api/rooms", headers=headers).status_code == 401


class TestOthers:
    def test_an_administrator(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        bob.say("good morning")
        user_id = id_of(services, "bob")
        assert f'href="/people/{user_id}/delete"' in alice.get(f"/people/{user_id}").text
        path = f"/people/{user_id}/delete"
        response = alice.submit(path, way="erase", confirmation="bob", reason="asked for it")
        assert (response.status_code, response.location) == (303, "/admin/people")
        assert "The account of Bob was deleted." in alice.get("/admin/people").text
        assert "good morning" not in alice.get("/chatroom").text
        assert not bob.is_signed_in
        log = alice.get("/admin/audit").text
        assert "deleted the account of <bdi>@bob</bdi>; the messages are erased" in log
        assert "asked for it" in log
        gone = alice.get(f"/people/{user_id}")
        assert gone.status_code == 404
        assert "This account was deleted." in gone.text

    @pytest.mark.parametrize("wrong", [{"way": ""}, {"confirmation": "Bob"}, {"confirmation": ""}])
    def test_invalid_input(self, alice: Visitor, bob: Visitor, services: Services, wrong: dict[str, str]) -> None:
        path = f"/people/{id_of(services, 'bob')}/delete"
        response = alice.submit(path, **{"way": "keep", "confirmation": "bob", **wrong})
        assert response.status_code == 400
        assert is_there(services, "bob")

    def test_users_without_permission(self, alice: Visitor, bob: Visitor, mallory: Visitor, services: Services) -> None:
        """M10, W09: another's id in the address, by members, moderators, and against administrators."""
        typed = {"way": "keep", "confirmation": "mallory"}
        path = f"/people/{id_of(services, 'mallory')}/delete"
        for role in ("member", "moderator"):
            services.moderation.moderation.set_role(
                None, services.moderation.moderation.get(id_of(services, "bob")), role
            )
            assert bob.get(path).status_code == 403
            assert bob.submit("/account", to=path, **typed).status_code == 403
        services.moderation.moderation.set_role(
            None, services.moderation.moderation.get(id_of(services, "mallory")), "administrator"
        )
        for own in (path, f"/people/{id_of(services, 'alice')}/delete"):
            assert alice.get(own).status_code == 403
            assert alice.submit("/account", to=own, **typed).status_code == 403
        assert {"alice", "bob", "mallory"} == {n for n in ("alice", "bob", "mallory") if is_there(services, n)}

    def test_without_its_token_it_does_nothing(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        """C01."""
        path = f"/people/{id_of(services, 'bob')}/delete"
        assert alice.post(path, data={"way": "keep", "confirmation": "bob"}).status_code == 400
        assert is_there(services, "bob")

    def test_an_unknown_user(self, alice: Visitor) -> None:
        assert alice.get(f"/people/{'0' * 24}/delete").status_code == 404

    def test_a_bot(self, alice: Visitor, services: Services) -> None:
        bot = services.people.accounts.create_bot("robot", "Robot")
        path = f"/people/{bot.id}/delete"
        assert alice.submit(path, way="keep", confirmation="robot", reason="").status_code == 303
        assert not is_there(services, "robot")
