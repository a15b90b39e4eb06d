"""What the browser tests need is there; where it is not, this says so."""


def test_there_is_a_browser(chromium):
    assert chromium.is_connected()
