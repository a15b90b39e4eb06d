"""A new password by a link that an administrator made."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from chatroom.base.errors import Refused
from chatroom.people.resets import Resets
from chatroom.services import Services
from chatroom.site.codes_store import CodeStore
from tests.conftest import Clock, MakeApp, visitor
from tests.visitors import NEW, PASSWORD, Visitor, problem, user_of

VAGUE = "This link has expired or has already been used. Please ask for a new one."


def link_for(alice: Visitor, services: Services, name: str = "bob") -> str:
    page = f"/people/{user_of(services, name).id}"
    response = alice.submit(page, to=f"{page}/reset-link")
    assert response.status_code == 201
    found = re.search(r'value="http://[^/"]*(/reset/[\w-]+)"', response.text)
    assert found
    return found[1]


def use(visitor: Visitor, path: str, password: str = NEW) -> int:
    return visitor.submit(path, password=password, password_again=password).status_code


def test_it_sets_a_new_password_once(app: Flask, client: Visitor, alice: Visitor, bob: Visitor) -> None:
    services: Services = app.extensions["chatroom"]
    path = link_for(alice, services)
    assert "bob" in client.get(path).text
    assert use(client, path) == 303
    assert not bob.is_signed_in
    assert visitor(app).log_in("bob", PASSWORD).status_code == 401
    assert visitor(app).log_in("bob", NEW).status_code == 303
    assert VAGUE in client.get(path).text
    acts = [(entry.actor.name, entry.act) for entry in services.site.audit.page().entries]
    assert acts == [("Bob", "use_reset_link"), ("Alice", "make_reset_link")]


def test_a_failed_attempt_does_not_use_the_link(
    client: Visitor, alice: Visitor, bob: Visitor, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = link_for(alice, services)

    def busy(_: str) -> str:
        raise Refused("busy", "Too many people are logging in right now.", retry_after=3)

    with monkeypatch.context() as patch:
        patch.setattr(services.people.passwords, "hash", busy)
        assert use(client, path) in {429, 503}
    assert use(client, path) == 303


def test_an_old_link_does_not_change_a_newer_password(
    client: Visitor, alice: Visitor, bob: Visitor, services: Services
) -> None:
    """M08: somebody else may have got hold of the link, which is why its owner changed the password."""
    path = link_for(alice, services)
    services.people.accounts.set_password(user_of(services, "bob"), "another sentence of my own")
    assert VAGUE in client.get(path).text
    with pytest.raises(Refused):
        services.people.resets.use(path.removeprefix("/reset/"), NEW)


def test_only_its_hash_is_kept(alice: Visitor, bob: Visitor, services: Services) -> None:
    """M08."""
    secret = link_for(alice, services).removeprefix("/reset/")
    assert secret not in str(list(services.database["resets"].find()))
    assert secret not in str(list(services.database["audit"].find()))


def test_wrong_used_and_old_links_look_the_same(
    client: Visitor, alice: Visitor, bob: Visitor, services: Services
) -> None:
    """M08."""
    used, old = link_for(alice, services), ""
    use(client, used)
    old = link_for(alice, services)
    services.database["resets"].update_many({}, {"$set": {"expires_at": datetime.now(UTC) - timedelta(seconds=1)}})
    pages = [client.get(path) for path in (used, old, "/reset/guessed", f"/reset/{'x' * 5000}", "/reset/%ff")]
    assert {page.status_code for page in pages} == {404}
    assert len({page.text for page in pages}) == 1
    token = client.fields("/login")["csrf_token"]
    posted = [client.post(path, data={"csrf_token": token, "password": NEW}) for path in (used, old)]
    assert {page.status_code for page in posted} == {404}


@pytest.mark.parametrize(("first", "second"), [("short", "short"), (NEW, "other than it"), ("bob", "bob")])
def test_a_password_that_may_not_be_uses_nothing_up(
    client: Visitor, alice: Visitor, bob: Visitor, services: Services, first: str, second: str
) -> None:
    path = link_for(alice, services)
    response = client.submit(path, password=first, password_again=second)
    assert response.status_code == 400
    assert problem(response)
    assert use(client, path) == 303


def test_a_newer_link_replaces_it(client: Visitor, alice: Visitor, bob: Visitor, services: Services) -> None:
    first, second = link_for(alice, services), link_for(alice, services)
    assert client.get(first).status_code == 404
    assert client.get(second).status_code == 200


def test_a_day(services: Services, alice: Visitor, bob: Visitor, clock: Clock) -> None:
    store = CodeStore(services.database, services.database["resets"], owner="user", clock=clock)
    resets = Resets(store, services.people.users, services.people.accounts, services.site.acts, clock=clock)
    secret = resets.make(None, user_of(services, "bob"))
    clock.advance(hours=23)
    assert resets.find_user(secret).username == "bob"
    clock.advance(hours=1)
    assert store.find(secret) is None


def test_administrators_cannot_create_links_for_each_other(
    alice: Visitor, bob: Visitor, mallory: Visitor, services: Services
) -> None:
    services.moderation.moderation.set_role(None, user_of(services, "bob"), "administrator")
    services.moderation.moderation.set_role(None, user_of(services, "mallory"), "moderator")
    page = f"/people/{user_of(services, 'bob').id}"
    assert alice.submit(page, to=f"{page}/reset-link").status_code == 403
    assert mallory.submit(page, to=f"{page}/reset-link").status_code == 403
    assert "Create reset link" not in alice.get(page).text


def test_at_the_console(app: Flask, client: Visitor, alice: Visitor, runner: FlaskCliRunner) -> None:
    services: Services = app.extensions["chatroom"]
    services.close = lambda: None  # type: ignore[method-assign]  # in memory it would be the end
    result = runner.invoke(args=["reset-link", "alice"])
    assert "put the site's address in front" in result.stderr
    assert use(client, result.stdout.strip()) == 303
    assert visitor(app).log_in("alice", NEW).status_code == 303


@pytest.mark.parametrize(
    ("hosts", "proxies", "beginning"),
    [
        ("chat.example", 1, "https://chat.example/reset/"),
        ("chat.example:8443,", 1, "https://chat.example:8443/reset/"),
        ("chat.example", 0, "http://chat.example:5000/reset/"),
        (".chat.example", 1, "/reset/"),
        ("chat.example, www.chat.example", 1, "/reset/"),
    ],
)
def test_the_console_prints_the_address_of_a_site_with_one_host(
    make_app: MakeApp, hosts: str, proxies: int, beginning: str
) -> None:
    app = make_app(allowed_hosts=hosts, trusted_proxies=proxies)
    services: Services = app.extensions["chatroom"]
    services.close = lambda: None  # type: ignore[method-assign]  # in memory it would be the end
    runner = app.test_cli_runner()
    runner.invoke(args=["create-user", "alice", "--password-stdin"], input=f"{NEW}\n")
    assert runner.invoke(args=["reset-link", "alice"]).stdout.startswith(beginning)
