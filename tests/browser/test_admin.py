"""The administration, as an administrator goes through it: people, who may join, and what was done."""

import re

from playwright.sync_api import expect

from tests.browser.cast import PASSWORD
from tests.browser.steps import make_room_by_form


def test_an_administrator_goes_through_the_administration(person, own_server):
    alice, bob = person("Alice", at=own_server), person("Bob", at=own_server)
    assert bob.page.request.get(f"{bob.url}/admin").status == 404, "for administrators alone"
    page = alice.page
    page.goto(f"{alice.url}/account")
    page.get_by_role("link", name="Administration").click()
    around = page.get_by_role("navigation", name="Administration")

    around.get_by_role("link", name="People").click()
    page.get_by_label("Name starts with").fill(bob.username)
    page.get_by_role("button", name="Find").click()
    page.get_by_role("main").get_by_role("link", name=bob.name).click()
    page.get_by_text("Administration: role").click()
    page.get_by_label("Role", exact=True).select_option("moderator")
    page.get_by_role("button", name="Save role").click()
    expect(page.get_by_role("status")).to_contain_text(f"{bob.name} now has the role moderator.")
    page.goto(f"{alice.url}/admin/people?q=nobody")
    expect(page.get_by_text("No matching people.")).to_be_visible()

    around.get_by_role("link", name="Registration").click()
    page.get_by_label("Who may register").select_option("invite")
    page.get_by_role("region", name="New accounts").get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    page.get_by_label("Uses").fill("1")
    page.get_by_role("button", name="Create invite").click()
    code = page.get_by_role("textbox", name="Code").input_value()
    expect(page.get_by_text("1 person can still register")).to_be_visible()

    carol = person("Carol", at=own_server, is_registered=False)
    carol.page.goto(f"{carol.url}/register")
    carol.page.get_by_label("User name").fill(carol.username)
    carol.page.get_by_label("Display name").fill(carol.name)
    carol.page.get_by_label("Password", exact=True).fill(PASSWORD)
    carol.page.get_by_label("Password again").fill(PASSWORD)
    carol.page.get_by_label("Invit").fill(code)
    carol.page.get_by_role("button", name="Register").click()
    carol.page.wait_for_url("**/chatroom**")

    page.get_by_role("button", name="Create invite").click()
    expect(page.get_by_role("textbox", name="Code")).not_to_have_value(code)
    page.get_by_role("button", name=re.compile("Revoke… the invite")).click()
    page.get_by_role("dialog", name="Revoke this invite?").get_by_role(
        "button", name=re.compile("Revoke the invite")
    ).click()
    expect(page.get_by_text("The invite was revoked.")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Revoke… the invite"))).to_have_count(0)

    around.get_by_role("link", name="Audit log").click()
    role = f"made @{bob.username} a moderator of the site"
    for act in (role, "limited registration", "created an invite", "revoked an invite"):
        expect(page.get_by_role("listitem").filter(has_text=act).first).to_contain_text(alice.name)
    page.get_by_label("What was done").select_option("set_role")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(1)
    expect(page.get_by_role("main").get_by_role("listitem")).to_contain_text(bob.username)


def test_an_administrator_archives_a_room_and_its_manager_reads_the_reason(person, own_server):
    alice, bob = person("Alice", at=own_server), person("Bob", at=own_server)
    address = make_room_by_form(bob, "Bob's plans", "Private: only people who are invited")
    bob.say("nobody else's business")
    bob.sees("nobody else's business")
    page = alice.page
    page.goto(f"{alice.url}/admin")
    page.get_by_role("navigation", name="Administration").get_by_role("link", name="Rooms").click()
    page.get_by_label("starts with").fill("bob")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("main").get_by_role("link", name="Bob's plans").click()
    expect(page.get_by_text("Only its members can read its messages.")).to_be_visible()
    page.wait_for_load_state()
    assert "nobody else's business" not in page.content()
    assert page.request.get(address).status == 404, "an administrator is no member for it"
    page.get_by_label("Reason (the audit log").fill("the project is over")
    page.get_by_role("button", name="Archive the room").click()
    expect(page.get_by_role("button", name="Reopen the room")).to_be_visible()

    expect(bob.page.get_by_text("This room is archived: you can read it")).to_be_visible()
    bob.page.get_by_role("heading", name="Bob's plans").get_by_role("button").click()
    bob.page.locator("[data-room-menu]").get_by_role("link", name=re.compile("^(About|Settings)")).click()
    bob.page.get_by_role("link", name=re.compile("[Rr]ecord")).first.click()
    entry = bob.page.get_by_role("listitem").filter(has_text="the project is over")
    expect(entry).to_contain_text(alice.name)

    page.get_by_label("Reason (the audit log").fill("it goes on")
    page.get_by_role("button", name="Reopen the room").click()
    expect(page.get_by_role("button", name="Archive the room")).to_be_visible()
    bob.page.goto(address)
    bob.await_state("Live")
    bob.say("and on")
    bob.sees("and on")


def test_a_reset_link_sets_a_new_password_once(person, own_server):
    alice, bob = person("Alice", at=own_server), person("Bob", at=own_server)
    alice.page.goto(f"{alice.url}/admin/people?q={bob.username}")
    alice.page.get_by_role("main").get_by_role("link", name=bob.name).click()
    alice.page.get_by_text("Administration: role").click()
    alice.page.get_by_role("button", name="Create reset link").click()
    link = alice.page.locator("input[readonly]").input_value()

    forgetful = person("Visitor", at=own_server, is_registered=False)
    forgetful.page.goto(link)
    for name in ("password", "password_again"):
        forgetful.page.locator(f"[name={name}]").fill("another quiet evening")
    forgetful.page.get_by_role("button", name="Set the password").click()
    expect(forgetful.page.get_by_text("The new password was set.")).to_be_visible()
    bob.await_state("Your session ended")
    forgetful.username = bob.username
    forgetful.log_in("another quiet evening")
    forgetful.await_state("Live")
    alice.page.goto(link)
    expect(alice.page.get_by_role("button", name="Set the password")).to_have_count(0)
