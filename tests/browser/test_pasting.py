"""What people paste and drop, in the shapes that real programs put on the clipboard."""

import json
import re

from playwright.sync_api import expect

from tests.browser.steps import stored
from tests.corpus import HERE
from tests.pictures import make_picture

CONVERT = """async (pages) => {
  const { convert } = await import("/static/views/kit/markdown.js");
  return pages.map((html) => convert(html).markdown);
}"""

PAGES = [each.values() for each in json.loads((HERE / "copied_html.json").read_text("utf-8"))]


def test_copied_html_becomes_markdown(person):
    """X01: nothing in it is loaded or run."""
    visitor = person("Visitor", is_registered=False)
    asked, problems = [], []
    visitor.page.goto(f"{visitor.url}/login")
    visitor.page.on("request", lambda request: asked.append(request.url))
    visitor.page.on("console", lambda message: problems.append(message.text))
    copied, expected = zip(*PAGES, strict=True)
    assert visitor.page.evaluate(CONVERT, copied) == list(expected)
    assert [url for url in asked if "/static/" not in url] == [], "nothing in the copied page is loaded"
    assert problems == []


PASTE = """(field, { data = {}, files = [] }) => {
  const clipboardData = new DataTransfer();
  for (const [type, text] of Object.entries(data)) clipboardData.setData(type, text);
  for (const [name, type] of files) clipboardData.items.add(new File(["content"], name, { type }));
  const event = new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData });
  const plain = clipboardData.getData("text/plain");
  // The browser's own paste, which a script cannot start.
  if (field.dispatchEvent(event)) document.execCommand("insertText", false, plain);
}"""
PNG = ("image.png", "image/png")
IDE = """<meta charset='utf-8'><div style="color: #d4d4d4;font-family: Menlo, Monaco, monospace;white-space: pre;">
<div><span style="color: #c586c0;">if</span> *a*:</div><div>    <span>b</span></div></div>"""
JETBRAINS = """<html><head><meta http-equiv="content-type" content="text/html; charset=UTF-8"></head><body>
<pre style="background-color:#2b2b2b;font-family:'JetBrains Mono',monospace;">if *a*:<br>    b</pre></body></html>"""
CODE = "if *a*:\n    b"
TABLE = "<table><tr><td>a</td><td>b</td></tr><tr><td>1</td><td>2</td></tr></table>"
MARKDOWN_TABLE = "| a | b |\n| --- | --- |\n| 1 | 2 |"

# Before the paste (`[` and `]` are the ends of the selection), what is pasted, and what the field has then.
TEXTS = [
    ("[]", {"text/plain": "a\r\n\tb\u00a0c\u200bd  "}, "a\n\tb\u00a0c\u200bd  "),
    ("[]", {"text/plain": "*a* b", "text/html": "<meta charset='utf-8'><span>*a* b</span>"}, "*a* b"),
    ("[]", {"text/plain": "a b", "text/html": "a <b>b</b>"}, "a **b**"),
    ("x[]", {"text/plain": "a\tb\n1\t2", "text/html": TABLE}, f"x\n{MARKDOWN_TABLE}"),
    ("[]", {"text/plain": "a\n", "text/html": "<table><tr><td>a</td></tr></table>"}, "a\n"),
    ("[]", {"text/html": "<p>only <i>html</i></p>"}, "only *html*"),
    ("[]", {"text/plain": CODE, "text/html": IDE, "vscode-editor-data": "{}"}, CODE),
    ("[]", {"text/plain": CODE, "text/html": IDE}, CODE),
    ("[]", {"text/plain": CODE, "text/html": JETBRAINS}, CODE),
    ("```\n[]\n```", {"text/plain": "a b", "text/html": "a <b>b</b>"}, "```\na b\n```"),
    ("`[]", {"text/plain": "a b", "text/html": "a <b>b</b>"}, "`a b"),
    ("see [the page] now", {"text/plain": "https://example.com/a"}, "see [the page](https://example.com/a) now"),
    ("[https://example.com/b]", {"text/plain": "https://example.com/a"}, "https://example.com/a"),
    ("```\n[x]", {"text/plain": "https://example.com/a"}, "```\nhttps://example.com/a"),
    ("[]", {"text/plain": "https://example.com/a", "text/html": "<a href='https://example.com/a'>A</a>"}, "https://example.com/a"),
]  # fmt: skip
# What is on the clipboard together with files, what the field has then, and which files are attached.
FILES = [
    ({"text/plain": "report.pdf"}, [("report.pdf", "application/pdf")], "", ["report.pdf"]),
    ({"text/plain": "1.txt\r2.txt"}, [("1.txt", "text/plain"), ("2.txt", "text/plain")], "", ["1.txt", "2.txt"]),
    ({"text/plain": "/home/grace/u\u0308.txt"}, [("\u00fc.txt", "text/plain")], "", ["\u00fc.txt"]),
    ({}, [PNG], "", ["image.png"]),
    ({"text/html": "<meta charset='utf-8'><img src='https://example.com/cat.png'>"}, [PNG], "", ["image.png"]),
    ({"text/plain": "Words", "text/html": "<p>Words</p>", "text/rtf": "{\\rtf1 Words}"}, [PNG], "Words", []),
    ({"text/plain": "a\tb\n1\t2", "text/html": TABLE}, [PNG], MARKDOWN_TABLE, []),
    ({"text/plain": "Words", "text/rtf": "{\\rtf1 Words}"}, [PNG], "Words", []),
]  # fmt: skip


def put(field, text):
    """Fill a field, and select the text between `[` and `]`."""
    start, end = text.index("["), text.rindex("]") - 1
    field.fill(text[:start] + text[start + 1 : end + 1] + text[end + 2 :])
    field.evaluate("(field, [start, end]) => field.setSelectionRange(start, end)", [start, end])


def paste(field, data, files=()):
    field.evaluate(PASTE, {"data": data, "files": list(files)})


def test_pastes_into_the_composer_and_the_editor(person, anything):
    alice = person("Alice", service_workers="block")  # which would answer past the route
    page = alice.page
    composer = page.get_by_label("Message", exact=True)
    editor = page.get_by_label("Edit the message")
    text, waiting = anything("to be edited"), []

    # While the module is loaded, the plain text can be sent; it becomes Markdown if the person waits.
    page.route("**/kit/markdown.js", lambda route: waiting.append(route))
    paste(composer, {"text/plain": text, "text/html": f"<b>{text}</b>"})
    expect(composer).to_have_value(text)
    composer.press("Enter")
    stored(alice, text).wait_for()
    composer.press("ArrowUp")
    expect(editor).to_have_value(text)
    put(editor, "[]")
    paste(editor, {"text/plain": text, "text/html": f"<b>{text}</b>"})
    expect(editor).to_have_value(text)
    waiting.pop().continue_()
    expect(editor).to_have_value(f"**{text}**")
    expect(composer).to_have_value("")

    for field in (editor, composer):
        for before, data, after in TEXTS:
            put(field, before)
            paste(field, data)
            expect(field, str(data)).to_have_value(after)
    composer.press("Control+z")
    expect(composer).not_to_have_value(TEXTS[-1][2])
    paste(editor, {}, [PNG])
    expect(page.get_by_role("alert").get_by_text("Files cannot be added to a posted message.")).to_be_visible()

    attached = page.locator("[data-attachments] [data-name]")
    for data, files, after, names in FILES:
        composer.fill("")
        paste(composer, data, files)
        expect(attached, str(data)).to_have_text(names)
        expect(composer).to_have_value(after)
        while names:
            page.get_by_role("button", name=f"Remove {names.pop()}").click()

    # Plain by choice, and too long for a message.
    composer.fill("")
    composer.dispatch_event("keydown", {"key": "V", "ctrlKey": True, "shiftKey": True})
    paste(composer, {"text/plain": "a b", "text/html": "a <b>b</b>"})
    expect(composer).to_have_value("a b")
    paste(composer, {"text/plain": "long " * 200_000})
    expect(attached).to_have_text(["pasted-text.txt"])
    expect(composer).to_have_value("a b")
    expect(page.get_by_text("The text is too long for a message, so it is attached as a file.")).to_be_visible()
    put(editor, "x[]")
    paste(editor, {"text/plain": "long " * 200_000})
    expect(page.get_by_role("alert").get_by_text(re.compile("characters too long"))).to_be_visible()
    expect(editor).to_have_value("x")


def drag_in(page, target, *paths):
    """Drag files from the desktop over an element; returns a function that drops them there."""
    box = target.bounding_box()
    place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + min(box["height"] / 2, 40)}
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}

    def act(kind):
        session.send("Input.dispatchDragEvent", {"type": kind, "data": data, **place})

    act("dragEnter")
    act("dragOver")
    return act


def test_what_is_dropped_is_attached_or_inserted_and_never_opened(person, anything, tmp_path):
    alice = person("Alice")
    page = alice.page
    address = page.url
    files = [tmp_path / "one.txt", tmp_path / "two.txt", tmp_path / "folder"]
    for path in files[:2]:
        path.write_text("words")
    files[2].mkdir()
    zone, highlighted = page.locator("[data-log]"), page.locator(".is-dropped-on")
    attached = page.locator("[data-attachments] [data-name]")
    composer = page.get_by_label("Message", exact=True)

    drag_in(page, zone, files[0])
    expect(highlighted).to_have_count(1)
    drop = drag_in(page, page.locator(".site-header"), files[0])
    expect(highlighted).to_have_count(0)
    drop("drop")  # beside the room
    drag_in(page, zone, *files)
    expect(highlighted).to_have_count(1)
    page.evaluate("document.body.dispatchEvent(new DragEvent('dragleave', { bubbles: true }))")  # out of the window
    expect(highlighted).to_have_count(0)
    drag_in(page, zone, *files)("drop")
    expect(attached).to_have_text(["one.txt", "two.txt"])
    expect(page.get_by_role("alert").get_by_text("folder is a folder.")).to_be_visible()
    expect(highlighted).to_have_count(0)

    picture = {"name": "cat.png", "mimeType": "image/png", "buffer": make_picture("PNG", (60, 60))}
    page.locator("[data-choose]").set_input_files([picture])
    text = anything("to be dragged https://example.com/a")
    composer.fill(text)
    drag_in(page, composer, files[0])("drop")
    composer.press("Enter")
    message = stored(alice, text)
    expect(message.locator("[data-file]")).to_have_count(4)
    # What is dragged within the page is a text, even if it is a picture.
    message.get_by_role("link", name="https://example.com/a").drag_to(composer)
    expect(composer).to_have_value("https://example.com/a")
    composer.fill("")
    message.get_by_role("img", name="cat.png").drag_to(composer)
    expect(composer).to_have_value(re.compile("/files/.*cat.png"))
    composer.fill("")
    message.locator("[data-body] p").select_text()
    message.locator("[data-body] p").drag_to(composer, source_position={"x": 10, "y": 10})
    expect(composer).to_have_value(text)
    message.get_by_role("img", name="cat.png").drag_to(page.locator("[data-people]"))
    expect(attached).to_have_count(0)
    assert page.url == address
