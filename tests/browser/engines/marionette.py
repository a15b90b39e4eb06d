"""Selenium's commands for Firefox, sent as Marionette, the protocol that Firefox itself speaks.

Debian has no geckodriver, which does nothing else. Each message is its length, a colon, and JSON.
"""

import json
import socket
from typing import Any

# Selenium's name of a command, where Marionette's is not the same in other letters.
NAMES = {
    "get": "Navigate",
    "goBack": "Back",
    "close": "CloseWindow",
    "actions": "PerformActions",
    "clearActionState": "ReleaseActions",
    "clickElement": "ElementClick",
    "clearElement": "ElementClear",
    "sendKeysToElement": "ElementSendKeys",
    "isElementSelected": "IsElementSelected",
    "getElementValueOfCssProperty": "GetElementCSSValue",
    "findChildElement": "FindElement",
    "findChildElements": "FindElements",
    "getCurrentUrl": "GetCurrentURL",
    "w3cExecuteScript": "ExecuteScript",
    "w3cExecuteScriptAsync": "ExecuteAsyncScript",
    "w3cGetActiveElement": "GetActiveElement",
    "w3cGetCurrentWindowHandle": "GetWindowHandle",
    "w3cGetWindowHandles": "GetWindowHandles",
    "screenshot": "TakeScreenshot",
    "elementScreenshot": "TakeScreenshot",
}


class Marionette:
    """The executor of a Selenium driver: a connection to one running Firefox."""

    def __init__(self, port: int, timeout: float) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout)
        self._file = self._socket.makefile("rwb")
        self._number = 0
        self._read()  # Firefox speaks first

    def execute(self, command: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Run a command of Selenium; an error has the form of an HTTP answer, as Selenium expects it."""
        if command == "quit":
            return self.send("Marionette:Quit", {"flags": ["eForceQuit"]})
        if command == "newSession":
            parameters = parameters["capabilities"]["alwaysMatch"]
        if command.startswith("findChild"):
            parameters = {**parameters, "element": parameters["id"]}
        if command == "screenshot":
            parameters = {"full": False}
        name = NAMES.get(command) or command[0].upper() + command[1:]
        return self.send(f"WebDriver:{name}", parameters)

    def resize(self, width: int, height: int) -> None:
        """Give the page this size; a window of Firefox is at least 450 pixels wide."""
        style = "const { style } = gBrowser.selectedBrowser; style.width = `${arguments[0]}px`;"
        style += "style.height = `${arguments[1]}px`; style.flex = 'none';"
        self.send("Marionette:SetContext", {"value": "chrome"})
        self.send("WebDriver:SetWindowRect", {"width": width + 100, "height": height + 200})
        self.send("WebDriver:ExecuteScript", {"script": style, "args": [width, height]})
        self.send("Marionette:SetContext", {"value": "content"})

    def send(self, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        packet = json.dumps([0, self._number, name, parameters]).encode()
        self._file.write(b"%d:%b" % (len(packet), packet))
        self._file.flush()
        _, _, error, result = self._read()
        if error:
            return {"status": 500, "value": json.dumps({"value": error})}
        return result if isinstance(result, dict) and "value" in result else {"value": result}

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def _read(self) -> Any:
        length = b""
        while not length.endswith(b":"):
            byte = self._file.read(1)
            if not byte:
                raise ConnectionError("Firefox has ended")
            length += byte
        return json.loads(self._file.read(int(length[:-1])))
