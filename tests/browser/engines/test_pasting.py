"""What is pasted and dropped: engines parse copied pages themselves, and have events of their own."""

import json

from selenium.webdriver.common.keys import Keys

from tests.corpus import HERE

CONVERT = """
  const [pages, answer] = arguments;
  const convert = ({ convert }) => pages.map((html) => convert(html).markdown);
  import("/static/views/kit/markdown.js").then(convert).then(answer, (error) => answer(String(error)));
"""
# Firefox leaves the data out of an event that a script makes.
PASTE = """
  const [field, data, file] = arguments;
  const clipboardData = new DataTransfer();
  for (const [type, text] of Object.entries(data)) clipboardData.setData(type, text);
  if (file) clipboardData.items.add(new File(["content"], file));
  const event = new Event("paste", { bubbles: true, cancelable: true });
  return !field.dispatchEvent(Object.assign(event, { clipboardData }));
"""
DROP = """
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File(["content"], "dropped.txt"));
  const drop = (kind) => new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer });
  return ["dragenter", "dragover", "drop"].map((kind) => !arguments[0].dispatchEvent(drop(kind)));
"""
HOLDS = "document.querySelector('[data-text]').value === arguments[0]"
TABLE = "<table><tr><td>a</td><td>b</td></tr><tr><td>1</td><td>2</td></tr></table>"


def test_copied_pages_become_markdown(visitor):
    alice = visitor("Alice")
    copied, expected = zip(
        *(each.values() for each in json.loads((HERE / "copied_html.json").read_text())), strict=True
    )
    assert alice.driver.execute_async_script(CONVERT, list(copied)) == list(expected)


def test_pastes_and_drops(visitor):
    alice = visitor("Alice")
    box = alice.field("Message")
    assert alice.run(PASTE, box, {"text/plain": "a\tb\n1\t2", "text/html": TABLE})
    alice.wait_for(HOLDS, "| a | b |\n| --- | --- |\n| 1 | 2 |")
    box.clear()
    box.send_keys("the page")
    alice.run("arguments[0].select()", box)
    assert alice.run(PASTE, box, {"text/plain": "https://example.com/a"})
    alice.wait_for(HOLDS, "[the page](https://example.com/a)")
    alice.run("document.execCommand('undo')")
    alice.wait_for(HOLDS, "the page")
    assert alice.run(PASTE, box, {"text/plain": "report.txt"}, "report.txt")
    alice.find("[data-attachments]", "report")
    assert alice.run(DROP, alice.find("[data-log]")) == [True] * 3
    alice.find("[data-attachments]", "dropped")


def test_keys_of_formats(visitor):
    alice = visitor("Alice")
    box = alice.field("Message")
    box.send_keys("bold")
    alice.run("arguments[0].select()", box)
    alice.keys(Keys.CONTROL, "b")
    alice.wait_for(HOLDS, "**bold**")
    box.clear()
    box.send_keys("```", Keys.ENTER)
    alice.wait_for(HOLDS, "```\n")
