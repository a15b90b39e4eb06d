"""The pages about oneself: what one takes away, and that one finds from each to the others."""

import json
from pathlib import Path

from playwright.sync_api import expect


def test_own_data_is_a_file_with_own_messages(person, anything):
    alice, bob = person("Alice"), person("Bob")
    mine, theirs = anything("mine"), anything("not mine")
    alice.post(mine)
    bob.post(theirs)
    alice.page.goto(f"{alice.url}/account")
    with alice.page.expect_download() as download:
        alice.page.get_by_role("link", name="Download your data").click()
    lines = Path(download.value.path()).read_text("utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    assert records[0]["type"] == "account"
    assert mine in [record.get("text") for record in records]
    assert theirs not in "".join(lines)


def test_from_each_page_about_oneself_to_the_others(person):
    person("Bob")  # who may be the first here, and so the administrator
    alice = person("Alice")
    page = alice.page
    page.goto(f"{alice.url}/account")
    around = page.get_by_role("navigation", name="Your account")
    for title, heading in [
        ("Profile", "Your profile"),
        ("Notifications", "Notifications"),
        ("Access tokens", "Access tokens"),
        ("Account", alice.name),
    ]:
        around.get_by_role("link", name=title, exact=True).click()
        expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
        expect(around.get_by_role("link", name=title, exact=True)).to_have_attribute("aria-current", "page")
    expect(around.get_by_role("link", name="Administration")).to_have_count(0)
