"""People with a browser of any engine, and what they can do in the words of the page."""

import io
import re
from typing import Any

import httpx
from PIL import Image
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement

from tests.browser.cast import PASSWORD
from tests.waiting import PATIENCE_SECONDS, wait_until

FIELD = "//*[@id=//label[normalize-space()='{0}']/@for or @aria-label='{0}']"
BUTTON = "//button[normalize-space()='{0}' or @aria-label='{0}']"
# WebKit's driver takes no lists of elements, and its `text` leaves out what a box may cut off.
SHOWN = """
  const [selector, text] = arguments;
  const found = [];
  if (selector.startsWith("//")) {
    const nodes = document.evaluate(selector, document, null, XPathResult.ORDERED_NODE_SNAPSHOT_TYPE);
    for (let index = 0; index < nodes.snapshotLength; index++) found.push(nodes.snapshotItem(index));
  } else found.push(...document.querySelectorAll(selector));
  return found.filter((each) => each.checkVisibility() && each.innerText.includes(text));
"""

AT_END = """
  const { scrollHeight, scrollTop, clientHeight } = document.querySelector("[data-log]");
  return scrollHeight - scrollTop - clientHeight < 1;
"""
POST = """
  const [texts, answer] = arguments;
  const token = document.querySelector("meta[name=csrf-token]").content;
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
  const url = "/api/rooms/lobby/messages";
  const post = (text) => fetch(url, { method: "POST", headers, body: JSON.stringify({ text }) });
  Promise.all(texts.map((text) => post(text).then(({ status }) => status, String))).then(answer);
"""


class Visitor:
    """Somebody with a browser of their own, who waits for what they look for."""

    def __init__(self, driver: WebDriver, url: str, name: str, *, has_scripts: bool) -> None:
        self.driver = driver
        self.has_scripts = has_scripts
        self.url = url
        self.name = name
        self.username = "".join(c for c in name.lower() if c.isascii() and c.isalnum())

    def start_afresh(self) -> None:
        """Leave what the person before has in this browser."""
        self.go("/livez")
        self.driver.delete_all_cookies()

    def register(self) -> "Visitor":
        """Make the account with plain requests; the form itself has a test of its own."""
        fields = {"username": self.username, "display_name": self.name, "next": ""}
        fields |= {"password": PASSWORD, "password_again": PASSWORD}
        with httpx.Client(base_url=self.url, timeout=PATIENCE_SECONDS) as client:
            token = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', client.get("/register").text)
            assert token
            answer = client.post("/register", data={**fields, "csrf_token": token[1]})
            assert answer.status_code == 303, answer.text
            if shown := re.search(r"/admin/first-steps/hide.*?</form>", client.get("/chatroom").text, re.DOTALL):
                [token] = re.findall(r'name="csrf_token"[^>]* value="([^"]+)"', shown[0])
                client.post("/admin/first-steps/hide", data={"csrf_token": token})
            for cookie in client.cookies.jar:
                self.driver.add_cookie({"name": cookie.name, "value": str(cookie.value), "path": "/"})
        return self

    def enter(self, path: str = "/chatroom") -> "Visitor":
        """Go to a room; with scripts, wait until it is live."""
        self.go(path)
        return self.await_state("Live") if self.has_scripts else self

    def go(self, path: str) -> None:
        self.driver.get(f"{self.url}{path}")

    def await_state(self, text: str) -> "Visitor":
        self.wait_for("document.querySelector('[data-state-text]')?.textContent.startsWith(arguments[0])", text)
        return self

    # What they see

    def all(self, selector: str, text: str = "") -> Any:
        """The shown elements with this text, now."""
        if self.has_scripts:
            return self.run(SHOWN, selector, text)
        by = By.XPATH if selector.startswith("//") else By.CSS_SELECTOR
        return [each for each in self.driver.find_elements(by, selector) if text in each.text]

    def find(self, selector: str, text: str = "") -> WebElement:
        """Wait for a shown element with this text; the last one, if there are several."""
        return wait_until(lambda: self._find(selector, text), f"{self.name} does not see {selector} {text}")[-1]

    def await_end(self, selector: str, text: str = "") -> None:
        """Wait until no such element is shown."""
        wait_until(lambda: self._find(selector, text) == [], f"{self.name} still sees {selector} {text}")

    def field(self, label: str) -> WebElement:
        return self.find(FIELD.format(label))

    def message(self, text: str) -> WebElement:
        """Wait for a message that is stored."""
        return self.find("[data-messages] [data-message]:not(:has(.message__plain))", text)

    def texts(self, containing: str) -> list[str]:
        """The texts of the messages in their order."""
        script = "return [...document.querySelectorAll('[data-messages] [data-body]')].map((body) => body.innerText)"
        return [text.strip() for text in self.run(script) if containing in text]

    @property
    def is_at_end(self) -> bool:
        """Whether the end of the log is in view."""
        return self.run(AT_END)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def wait_for(self, condition: str, *arguments: Any) -> Any:
        """Wait until a condition in JavaScript is true."""
        return wait_until(lambda: self.run(f"return {condition}", *arguments), f"{self.name}: never {condition}")

    def brightness(self, selector: str, *, is_upright: bool) -> int:
        """The brightest pixel of a scrollbar, at an edge of the last such box."""
        box = self.run("return [...document.querySelectorAll(arguments[0])].at(-1).getBoundingClientRect()", selector)
        left, top, right, bottom = (int(box[side]) for side in ("left", "top", "right", "bottom"))
        edge = (
            (right - 6, top + 10, right - 3, bottom - 10)
            if is_upright
            else (left + 10, bottom - 6, right - 10, bottom - 3)
        )
        picture = Image.open(io.BytesIO(self.driver.get_screenshot_as_png())).convert("L")
        return picture.crop(edge).getextrema()[1]

    # What they do

    def fill(self, label: str, text: str) -> None:
        field = self.field(label)
        field.clear()
        field.send_keys(text)

    def press(self, name: str, within: str = "") -> None:
        self.find(f"{within}{BUTTON.format(name)}").click()

    def keys(self, *keys: str) -> None:
        """Press keys, where the focus is; those before the last are held down."""
        chain = ActionChains(self.driver)
        for key in keys[:-1]:
            chain.key_down(key)
        chain.send_keys(keys[-1])
        for key in keys[:-1]:
            chain.key_up(key)
        chain.perform()

    def say(self, text: str) -> None:
        self.field("Message").send_keys(text, Keys.ENTER)

    def post(self, *texts: str) -> None:
        """Post without the page, as a script would."""
        assert self.driver.execute_async_script(POST, list(texts)) == [201] * len(texts)

    def act(self, text: str, name: str) -> None:
        """Do something with a message, by its menu."""
        away = self.find(".site-header")  # a pointer that stays at its place is not over a new element
        ActionChains(self.driver).move_to_element(away).move_to_element(self.message(text)).perform()
        self.press("More actions")
        self.find("[role=menuitem]", name).click()

    def fill_registration(self, **different: str) -> None:
        fields = {"User name": self.username, "Display name": self.name}
        fields |= {"Password": PASSWORD, "Password again": PASSWORD}
        for label, text in (fields | different).items():
            self.fill(label, text)
        self.press("Register", "//main")

    def log_in(self) -> None:
        self.go("/login")
        self.fill("User name", self.username)
        self.fill("Password", PASSWORD)
        self.press("Log in", "//main")

    def _find(self, selector: str, text: str) -> list[WebElement] | None:
        try:
            return self.all(selector, text)
        except StaleElementReferenceException:  # it was replaced in between
            return None
