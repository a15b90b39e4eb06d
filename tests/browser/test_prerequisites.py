"""What the browser tests need is there; where it is not, this says so."""

from tests.browser.conftest import CHROMIUM


def test_there_is_a_browser(browsers):
    assert browsers.launched(str(CHROMIUM)).is_connected()
