"""Where a link leads is shown, if its label says otherwise."""

import pytest

from chatroom.messages.markdown.rendering import render


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("[https://bank.example](https://evil.example/x)", "evil.example"),
        ("[bank.com](https://evil.example)", "evil.example"),
        ("[log in at www.bank.example](https://evil.example)", "evil.example"),
        ("[log in at bank.com.](https://evil.example)", "evil.example"),
        ("[(bank.com)](https://evil.example)", "evil.example"),
        ("[b\u200bank\u00ad.com](https://evil.example)", "evil.example"),
        ("[ftp://bank.example](https://evil.example)", "evil.example"),
        ("[**https://bank.example**/login](http://127.0.0.1:80/)", "127.0.0.1"),
        ("[`https://bank.example`](https://evil.example)", "evil.example"),
        ("[\uff48ttps://bank\uff0eexample](https://evil.example)", "evil.example"),
        ("[https://bank.example](https://bank.example.evil.example)", "bank.example.evil.example"),
        ("[https://bank.example](mailto:a@evil.example)", "mailto:a@evil.example"),
        ("[//bank.example](https://evil.example)", "evil.example"),
        ("[log in at bank.example/login](https://evil.example)", "evil.example"),
        ("[bank\u3002com](https://evil.example)", "evil.example"),
        ("[192.0.2.1](https://evil.example)", "evil.example"),
        ("[192.0.2.1:8080/x](https://evil.example)", "evil.example"),
    ],
)
def test_the_host_is_shown_beside_the_address_of_another(text: str, host: str) -> None:
    """P15."""
    assert render(text).endswith(f"</a> ({host})</p>")


@pytest.mark.parametrize(
    "text",
    [
        "[the docs](https://docs.example)",
        "[README.md](https://github.example/README.md)",
        "[Node.js and a.b.c](https://nodejs.example)",
        "[ann@example.com](mailto:ann@example.com)",
        "[google.com](https://www.google.com/search)",
        "[https://a.example:8000/x](https://a.example/)",
        "[https://A.Example](https://a.example/)",
        "[example.com](https://docs.example.com)",
        "[192.0.2.1](http://192.0.2.1:8080/)",
        "[docs.example/page](https://docs.example/page)",
        "[Version 1.2.3 and 1.2.3.4.5](https://releases.example)",
        "[https://docs.example/a.html/b](https://docs.example/a.html/b)",
        "[docs/architecture.md, app.py:33](https://docs.example)",
        "[Kim/Lee vs. others, 3.5/5, a // b](https://docs.example)",
        "[\u7b2c\u4e00\u3002\u7b2c\u4e8c](https://docs.example)",
        "<https://a.example>",
        "https://a.example",
        "[x](https://[bad)",
    ],
)
def test_other_links_stay(text: str) -> None:
    assert "(" not in render(text).replace("](", "")
