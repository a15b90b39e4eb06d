"""Describe a user agent in three words, for the list of sessions."""

import re

BROWSERS = {  # in this order, because a user agent also names later browsers of this list
    "Edg": "Edge",
    "OPR": "Opera",
    "Vivaldi": "Vivaldi",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "CriOS": "Chrome",
    "Chrome": "Chrome",
    "Safari": "Safari",
    "w3m": "w3m",
    "Lynx": "Lynx",
    "curl": "curl",
}
SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "CrOS": "ChromeOS",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}


def label_of(user_agent: str) -> str:
    """The browser and the system, such as `Firefox on Linux`, if they are known."""
    browser = next((name for mark, name in BROWSERS.items() if re.search(rf"\b{mark}\w*/", user_agent)), "")
    system = next((name for mark, name in SYSTEMS.items() if mark in user_agent), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or system
