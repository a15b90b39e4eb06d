"""The static files: their addresses, how long they are kept, and their compressed forms."""

import gzip
import re
from pathlib import Path

import brotli
import pytest
from flask import Flask, request

from chatroom.web.kit.static_files import serve, version_of
from tests.visitors import Visitor


def test_static_files_may_be_cached(alice: Visitor) -> None:
    with alice.get("/static/favicon.svg") as response:
        assert response.status_code == 200
        assert "no-store" not in response.headers["Cache-Control"]
        assert response.headers["Vary"] == "Accept-Encoding"  # and by no cookie
        assert "Set-Cookie" not in response.headers
        etag = response.headers["ETag"]
    with alice.get("/static/favicon.svg", headers={"If-None-Match": etag}) as response:
        assert response.status_code == 304


class TestVersions:
    def address(self, client: Visitor) -> str:
        """The address of the style sheet on a page."""
        found = re.search(r'rel="stylesheet" href="([^"]+)"', client.get("/login").text)
        assert found
        return found[1]

    def test_pages_name_files_with_their_version_and_browsers_keep_these(self, client: Visitor) -> None:
        address = self.address(client)
        assert re.fullmatch(r"/static/~[0-9a-f]{10}/css/site\.css", address)
        with client.get(address) as kept, client.get("/static/css/site.css") as plain:
            assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert plain.headers["Cache-Control"] == "no-cache"
            assert kept.data == plain.data
        script = address.replace("css/site.css", "pages/chat.js")
        with client.get(script) as kept:
            assert kept.headers["Cache-Control"].endswith("immutable")
            assert kept.data == Path("static/pages/chat.js").read_bytes()

    def test_a_page_of_another_version_gets_its_files_and_asks_again_next_time(self, client: Visitor) -> None:
        for name in ("css/site.css", "pages/chat.js"):
            with client.get(f"/static/~0123456789/{name}", headers={"Accept-Encoding": "br"}) as answer:
                assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache")

    @pytest.mark.parametrize("name", ["css/none.css", "", "../test_mongo.py", "%2e%2e/test_mongo.py", "/etc/passwd"])
    def test_what_is_not_there_is_not_found(self, client: Visitor, name: str) -> None:
        version = self.address(client).split("/")[2]
        for path in (f"/static/{version}/{name}", f"/static/~/{name}"):
            with client.get(path, follow_redirects=True) as answer:
                assert answer.status_code == 404
                assert answer.headers["Cache-Control"] == "no-store"

    def test_a_change_of_a_file_or_of_its_name_changes_the_version(self, tmp_path: Path) -> None:
        versions = set()
        for name, text in (("a.js", "1"), ("a.js", "2"), ("b.js", "2")):
            folder = tmp_path / f"{name}{text}"
            folder.mkdir()
            (folder / name).write_text(text)
            versions.add(version_of(str(folder)))
        assert len(versions) == 3


class TestCompression:
    """L20."""

    @pytest.mark.parametrize("name", ["pages/chat.js", "css/chat.css", "css/site.css", "hero.svg"])
    def test_scripts_and_styles_are_sent_compressed_and_asked_again_by_tag(self, client: Visitor, name: str) -> None:
        with client.get(f"/static/{name}") as plain:
            expected = plain.data
        for _ in range(2):  # the second answer is from the cache
            with client.get(f"/static/{name}", headers={"Accept-Encoding": "gzip, br"}) as answer:
                assert answer.headers["Content-Encoding"] == "br"
                assert brotli.decompress(answer.data) == expected
        with client.get(f"/static/{name}", headers={"Accept-Encoding": "gzip"}) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            assert gzip.decompress(answer.data) == expected
            tag = answer.headers["ETag"]
        with client.get(f"/static/{name}", headers={"Accept-Encoding": "gzip", "If-None-Match": tag}) as again:
            assert again.status_code == 304

    def test_one_style_sheet_has_those_of_all_pages(self, client: Visitor) -> None:
        with client.get("/static/css/site.css") as answer:
            assert answer.mimetype == "text/css"
            sheet = answer.text
        own = {"admin", "changes", "export", "noscript", "programs"}  # of some pages
        rest = {path for path in Path("static/css").glob("*.css") if path.stem not in own}
        assert sum(len(path.read_text()) for path in rest) == len(sheet)
        assert all(path.read_text() in sheet for path in rest)
        assert client.get("/login").text.count('rel="stylesheet"') == 1

    def test_a_part_of_a_file_is_not_kept_as_the_whole_file(self, client: Visitor) -> None:
        whole = Path("static/css/chat.css").read_bytes()
        first = {"Range": "bytes=0-999", "Accept-Encoding": "br"}
        with client.get("/static/css/chat.css", headers=first) as part:
            assert (part.status_code, part.data) == (206, whole[:1000])
            assert "Content-Encoding" not in part.headers
        with client.get("/static/css/chat.css", headers={"Accept-Encoding": "br"}) as answer:
            assert brotli.decompress(answer.data) == whole

    def test_a_file_is_compressed_once_whatever_the_spelling_of_its_address(self) -> None:
        app = Flask("chatroom", static_folder=Path("static").resolve())
        serve(app)
        keys = set()
        for path in ("chat.css", "../css/chat.css", "./chat.css", "../css/../css/chat.css"):
            with app.test_request_context(f"/static/css/{path}"):
                keys.add(app.config["COMPRESS_CACHE_KEY"](request))
        assert len(keys) == 1

    def test_pages_are_not(self, client: Visitor) -> None:
        answer = client.get("/login", headers={"Accept-Encoding": "gzip"})
        assert "Content-Encoding" not in answer.headers
