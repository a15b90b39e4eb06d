"""Files over HTTP: uploading by script and by form, and who gets them back, whole or in part."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask

from chatroom.files.files_store import PIECE_BYTES
from tests.conftest import MakeApp, services_of, signed_in
from tests.corpus.files import FILES as CORPUS
from tests.corpus.files import pdf
from tests.corpus.pictures import make
from tests.pictures import make_picture
from tests.visitors import OTHER_CREDENTIALS, Visitor, problem

FILES = "/api/rooms/lobby/files"
MESSAGES = "/api/rooms/lobby/messages"


def upload(person: Visitor, content: bytes = b"some words", name: str = "a.txt", **more: Any) -> Any:
    return person.post(FILES, query_string={"name": name}, data=content, headers=person.csrf(), **more)


def say(person: Visitor, *ids: str, text: str = "", client_id: str = "c1") -> Any:
    body = {"text": text, "files": ids, "client_id": client_id}
    return person.post(MESSAGES, json=body, headers=person.csrf())


def shared(person: Visitor, content: bytes = b"some words", name: str = "a.txt", client_id: str = "c1") -> str:
    """A file of a message, by its address."""
    file = upload(person, content, name).json
    assert say(person, file["id"], client_id=client_id).status_code == 201
    return f"/files/{file['id']}/{file['name']}"


def by_form(person: Visitor, *files: tuple[bytes, str], text: str = "", **more: str) -> Any:
    fields = person.fields("/chatroom")
    known = {name: fields[name] for name in ("csrf_token", "client_id")}
    parts = [(io.BytesIO(content), name) for content, name in files]
    return person.post(
        "/chatroom", data={**known, "text": text, "files": parts, **more}, content_type="multipart/form-data"
    )


def messages(person: Visitor) -> list[dict[str, Any]]:
    return list(person.get(MESSAGES).json["messages"])


def kept_files(app: Flask) -> int:
    return services_of(app).database["files.files"].count_documents({})


class TestFormsThatComeAgain:
    """A form with a file whose `client_id` was stored: whatever becomes of it, nothing is kept in vain."""

    def test_nothing_is_stored_for_a_muted_user(self, app: Flask, alice: Visitor, bob: Visitor) -> None:
        known = bob.fields("/chatroom")["client_id"]
        assert by_form(bob, text="one", client_id=known).status_code == 303
        users, moderation = services_of(app).people.users, services_of(app).moderation.moderation
        muted = users.find_by_username("bob")
        assert muted is not None
        moderation.mute(None, muted, datetime.now(UTC) + timedelta(hours=1), "noise")

        for text in ("one", "two"):
            by_form(bob, (b"x", "a.txt"), text=text, client_id=known)

        assert kept_files(app) == 0
        assert [message["text"] for message in messages(alice)] == ["one"]

    def test_with_another_text_it_is_another_message(self, alice: Visitor) -> None:
        known = alice.fields("/chatroom")["client_id"]
        for text in ("one", "two", "two"):
            assert by_form(alice, (b"x", "a.txt"), text=text, client_id=known).status_code == 303
        assert [message["text"] for message in messages(alice)] == ["one", "two"]

    def test_with_another_file_it_is_another_message(self, alice: Visitor) -> None:
        known = alice.fields("/chatroom")["client_id"]
        for name in ("a.txt", "a.txt", "b.txt"):
            assert by_form(alice, (b"x", name), text="one", client_id=known).status_code == 303
        assert [[file["name"] for file in message["files"]] for message in messages(alice)] == [["a.txt"], ["b.txt"]]

    def test_a_stored_form_is_not_refused_for_too_many_uploads(self, make_app: MakeApp) -> None:
        alice = signed_in(make_app(upload_limit_account="1 per hour"), "alice")
        known = alice.fields("/chatroom")["client_id"]
        for _ in range(3):
            assert by_form(alice, (b"x", "a.txt"), text="one", client_id=known).status_code == 303
        assert len(messages(alice)) == 1

    def test_nothing_is_stored_for_a_user_in_slow_mode(self, app: Flask, alice: Visitor, bob: Visitor) -> None:
        services_of(app).database["rooms"].update_one({"_id": "lobby"}, {"$set": {"slow_seconds": 3600}})
        assert by_form(bob, (b"x", "a.txt"), text="one").status_code == 303
        assert by_form(bob, (b"x", "a.txt"), text="two").status_code == 429
        assert kept_files(app) == 1


class TestUploading:
    def test_as_the_body(self, alice: Visitor) -> None:
        answer = upload(alice, make_picture(), "kitten.png")
        assert answer.status_code == 201
        expected = {"name": "kitten.png.jpg", "type": "image/jpeg", "width": 120, "height": 80}
        assert answer.json.items() >= expected.items()
        assert set(answer.json) == {"id", "name", "type", "size", "width", "height"}

    def test_as_the_fields_of_a_form_it_is_refused(self, app: Flask, alice: Visitor) -> None:
        """curl sends this type unless it is told another; an empty file was stored."""
        answer = upload(alice, content_type="application/x-www-form-urlencoded")
        assert (answer.status_code, answer.json["error"]["reason"]) == (400, "invalid")
        assert "Content-Type: application/octet-stream" in answer.json["error"]["message"]
        assert kept_files(app) == 0

    def test_as_the_file_of_a_form(self, alice: Visitor) -> None:
        answer = alice.post(FILES, data={"file": (io.BytesIO(b"words"), "b.txt")}, headers=alice.csrf())
        assert (answer.status_code, answer.json["name"], answer.json["size"]) == (201, "b.txt", 5)
        for wrong in ({}, {"a": (io.BytesIO(b"x"), "a"), "b": (io.BytesIO(b"x"), "b")}):
            answer = alice.post(FILES, data=wrong, headers=alice.csrf(), content_type="multipart/form-data")
            assert (answer.status_code, answer.json["error"]["reason"]) == (400, "invalid")

    def test_more_than_a_request_may_otherwise_be(self, make_app: MakeApp) -> None:
        alice = signed_in(make_app(max_file_bytes=300_000), "alice")
        assert upload(alice, b"x" * 290_000).status_code == 201
        assert by_form(alice, (b"x" * 150_000, "a.txt"), (b"x" * 150_000, "b.txt")).status_code == 303
        for answer in (upload(alice, b"x" * 300_001), upload(alice, b"x" * 1_500_000)):
            assert (answer.status_code, answer.json["error"]["reason"]) == (413, "too_large")
        # And nothing else may be any larger than before.
        assert alice.post(MESSAGES, json={"text": "x" * 300_000}, headers=alice.csrf()).status_code == 413
        assert alice.say("x" * 300_000).status_code == 413
        assert by_form(alice, (b"x", "a.txt"), text="x" * 300_000).status_code == 413

    def test_too_often(self, make_app: MakeApp) -> None:
        alice = signed_in(make_app(upload_limit_account="2 per minute"), "alice")
        assert [upload(alice).status_code for _ in range(3)] == [201, 201, 429]
        assert "You have uploaded many files" in problem(by_form(alice, (b"x", "a.txt")))

    def test_when_there_is_no_room_left(self, make_app: MakeApp) -> None:
        """B05."""
        alice = signed_in(make_app(max_total_file_bytes=15), "alice")
        upload(alice, b"x" * 10)
        answer = upload(alice, b"x" * 10)
        assert (answer.status_code, answer.json["error"]["reason"]) == (507, "full")

    def test_an_empty_file_is_kept_and_nothing_is_refused(self, alice: Visitor) -> None:
        path = shared(alice, b"", "__init__.py")
        answer = alice.get(path)
        assert (answer.status_code, answer.data, answer.content_length) == (200, b"", 0)
        assert alice.get(path, headers={"Range": "bytes=0-"}).status_code == 200
        assert by_form(alice, (b"", "empty.txt")).status_code == 303
        answer = upload(alice, b"", "")
        assert (answer.status_code, answer.json["error"]["reason"]) == (400, "empty")

    def test_by_a_user_who_may_not_post(self, alice: Visitor, bob: Visitor, app: Flask) -> None:
        services = services_of(app)
        user = services.people.users.find_by_username("bob")
        assert user
        services.people.states.set_mute(user.id, datetime.now(UTC) + timedelta(hours=1), "shouting")
        answer = upload(bob)
        assert (answer.status_code, answer.json["error"]["reason"]) == (403, "muted")
        assert services.database["files.files"].count_documents({}) == 0

    def test_without_the_token_of_the_page(self, alice: Visitor) -> None:
        assert alice.post(FILES, data=b"x").status_code == 403


class TestPosting:
    def test_a_message_with_files(self, alice: Visitor) -> None:
        file = upload(alice).json
        answer = say(alice, file["id"], text="look")
        assert answer.status_code == 201
        assert messages(alice)[0]["files"] == [file]
        assert say(alice, file["id"], text="look").status_code == 200

    @pytest.mark.parametrize("wrong", [["x"], ["0" * 24], [{"$ne": 1}], "abc", 5, ["0" * 24] * 60])
    def test_files_that_are_none(self, alice: Visitor, wrong: Any) -> None:
        answer = alice.post(MESSAGES, json={"text": "", "files": wrong}, headers=alice.csrf())
        assert answer.status_code in {400, 404}
        assert messages(alice) == []

    def test_a_file_of_another_user(self, alice: Visitor, bob: Visitor) -> None:
        """B04."""
        bob.get("/chatroom")
        assert say(bob, upload(alice).json["id"]).status_code == 404

    def test_by_form_with_and_without_words(self, alice: Visitor) -> None:
        assert by_form(alice, (b"one", "a.txt"), (make_picture(), "b.jpg"), text="both").status_code == 303
        assert by_form(alice, (b"one", "a.txt")).status_code == 303
        both, alone = messages(alice)
        assert (both["text"], [file["name"] for file in both["files"]]) == ("both", ["a.txt", "b.jpg"])
        assert (alone["text"], [file["name"] for file in alone["files"]]) == ("", ["a.txt"])

    def test_a_repeated_form_is_one_message_and_a_refused_one_a_new_message(self, alice: Visitor) -> None:
        for text, name in (("hi", "a.txt"), ("hi", "a.txt"), ("hi", "b.txt"), ("ho", "a.txt")):
            assert by_form(alice, (b"one", name), text=text, client_id="c1").status_code == 303
        said = [(message["text"], message["files"][0]["name"]) for message in messages(alice)]
        assert said[0] == ("hi", "a.txt")
        assert sorted(said[1:]) == [("hi", "b.txt"), ("ho", "a.txt")]

    def test_problems_of_a_file_are_shown_at_the_form(self, make_app: MakeApp) -> None:
        alice = signed_in(make_app(max_files_per_message=2), "alice")
        answer = by_form(alice, (b"\x89PNG\r\n\x1a\nbroken", "a.png"), text="typed")
        assert (answer.status_code, problem(answer)) == (
            400,
            "The picture cannot be read: it is damaged or incomplete.",
        )
        assert "typed" in answer.text
        assert "at most 2 files" in problem(by_form(alice, *[(b"x", "a")] * 3))
        assert "The message is empty" in problem(by_form(alice))
        assert messages(alice) == []

    @pytest.mark.parametrize(("setting", "most"), [(10, 10), (0, 50)])
    def test_the_most_files_and_one_more(self, make_app: MakeApp, setting: int, most: int) -> None:
        alice = signed_in(make_app(max_files_per_message=setting, upload_limit_account="0"), "alice")
        refused = by_form(alice, *[(b"x", "a.txt")] * (most + 1))
        assert (refused.status_code, problem(refused)) == (400, f"A message has at most {most} files.")
        assert by_form(alice, *[(b"x", "a.txt")] * most).status_code == 303

    def test_files_are_on_the_page(self, alice: Visitor) -> None:
        shared(alice, make_picture(), "kitten.jpg")
        shared(alice, b"words", "<i>.txt", client_id="c2")
        for page in ("/chatroom", "/chatroom/lobby/messages"):
            text = alice.get(page).text
            assert 'width="120" height="80"' in text
            assert 'loading="lazy"' in text
            assert '<span class="file__stem">&lt;i&gt;</span><span class="file__ending">.txt</span>' in text


class TestFetching:
    def test_members_get_it(self, alice: Visitor, bob: Visitor) -> None:
        path = shared(alice)
        bob.get("/chatroom")
        answer = bob.get(path)
        assert (answer.status_code, answer.data) == (200, b"some words")
        assert answer.content_type == "text/plain; charset=utf-8"

    def test_outsiders_do_not_though_the_room_is_public(self, alice: Visitor, mallory: Visitor, app: Flask) -> None:
        """B04."""
        path = shared(alice)
        answer = mallory.get(path)
        assert answer.status_code == 404
        assert "a.txt" not in answer.text
        unknown = mallory.get("/files/" + "0" * 24 + "/a.txt")
        assert (unknown.status_code, unknown.text) == (404, answer.text)

    def test_before_a_message_has_it_only_its_owner_does(self, alice: Visitor, bob: Visitor) -> None:
        bob.get("/chatroom")
        path = f"/files/{upload(alice).json['id']}/a.txt"
        assert (alice.get(path).status_code, bob.get(path).status_code) == (200, 404)

    def test_deleted_files_are_not_found(self, alice: Visitor, app: Flask) -> None:
        """B04."""
        path = shared(alice)
        services = services_of(app)
        user = services.people.users.find_by_username("alice")
        assert user
        access = services.rooms.access.get_for(user.id, "lobby")
        (message,) = services.messages.store.newest("lobby", 1)
        services.messages.writer.change(access.room, services.messages.changes.deleting(access, message.id))
        assert alice.get(path).status_code == 404

    @pytest.mark.parametrize(
        "path", ["/files/x/a", "/files/" + "g" * 24 + "/a", "/files/%00/a", "/files/../etc/passwd"]
    )
    def test_unknown_files_are_not_found(self, alice: Visitor, path: str) -> None:
        assert alice.get(path).status_code == 404

    def test_with_a_token(self, app: Flask, alice: Visitor) -> None:
        path = shared(alice)
        services = services_of(app)
        user = services.people.users.find_by_username("alice")
        assert user
        token = services.people.sessions.create_token(user, label="bot")
        browser = app.test_client()
        assert browser.get(path, headers={"Authorization": f"Bearer {token}"}).data == b"some words"
        for other in OTHER_CREDENTIALS:  # the cookie beside it does not count
            assert alice.get(path, headers={"Authorization": other}).status_code == 401, other
        assert browser.get(path).status_code == 303

    @pytest.mark.parametrize(
        ("content", "name", "type", "is_inline"),
        [
            (b"<svg onload='alert(1)'/>", "a.svg", "application/octet-stream", False),
            (b"<!doctype html><script>alert(1)</script>", "a.png", "application/octet-stream", False),
            (b"%PDF-1.7\n", "a.pdf", "application/pdf", False),
            (b"MZ\0\0", "a.jpg", "application/octet-stream", False),
            (make_picture("PNG") + b"<script>alert(1)</script>", "a.html", "image/png", True),
            (b"just <b>words</b>", "a.html", "text/plain; charset=utf-8", True),
        ],
    )
    def test_nothing_that_runs_is_shown(
        self, alice: Visitor, content: bytes, name: str, type: str, is_inline: bool
    ) -> None:
        """B01."""
        answer = alice.get(shared(alice, content, name))
        assert answer.content_type == type
        assert answer.headers["Content-Disposition"].startswith("inline;" if is_inline else "attachment;")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert b"<script>" not in answer.data or not is_inline

    def test_its_name_survives_the_header(self, alice: Visitor) -> None:
        """B02."""
        answer = alice.get(shared(alice, name='Überblick "2026" \r\nX-Evil: 1 100%.txt'))
        said = answer.headers["Content-Disposition"]
        assert said == (
            'inline; filename="Uberblick _2026_ X-Evil_ 1 100_.txt"; '
            "filename*=UTF-8''%C3%9Cberblick%20_2026_%20X-Evil_%201%20100%25.txt"
        )

    @pytest.mark.parametrize(
        ("name", "plain"),
        [
            ("отчёт.pdf", "file.pdf"),
            ("会议 2026.docx", "2026.docx"),
            ("a;b.txt", "a_b.txt"),
            ("nul.txt", "_nul.txt"),
            ("a＂; filename=＂b／ｃ？.exe", "a__ filename=_b_c_.exe"),
            ("👋", "file"),
        ],
    )
    def test_old_programs_get_a_name_in_ascii(self, alice: Visitor, name: str, plain: str) -> None:
        said = alice.get(shared(alice, name=name)).headers["Content-Disposition"]
        assert f'filename="{plain}"' in said

    def test_office_files_are_saved_with_their_type(self, alice: Visitor) -> None:
        rows = {row.name: row for row in CORPUS}
        for number, name in enumerate(("report.docx", "a.xlsx", "macros.docm", "text.odt", "table.csv", "logo.svg")):
            answer = alice.get(shared(alice, rows[name].content, name, f"c{number}"))
            assert answer.content_type.partition(";")[0] == rows[name].type
            assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
            assert answer.headers["X-Content-Type-Options"] == "nosniff"

    def test_it_is_cached_privately_and_revalidated(self, alice: Visitor) -> None:
        path = shared(alice)
        answer = alice.get(path)
        assert answer.headers["Cache-Control"] == "private, max-age=3600"
        again = alice.get(path, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")

    def test_a_thumbnail_is_a_webp_of_pictures_alone(self, alice: Visitor) -> None:
        path = shared(alice, make_picture(), "a.jpg")
        answer = alice.get(path.replace("a.jpg", "thumbnail"))
        assert (answer.content_type, answer.data[8:12]) == ("image/webp", b"WEBP")
        again = alice.get(path.replace("a.jpg", "thumbnail"), headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304
        other = shared(alice, name="b.txt", client_id="c2")
        assert alice.get(other.replace("b.txt", "thumbnail")).status_code == 404

    def test_a_view_picture_is_shown_and_its_original_is_saved(self, alice: Visitor) -> None:
        path = shared(alice, make("AVIF"), "a.avif")
        view = alice.get(path.replace("a.avif", "view"))
        assert (view.content_type, view.data[8:12]) == ("image/webp", b"WEBP")
        assert view.headers["Content-Disposition"] == 'inline; filename="a.avif.webp"'
        original = alice.get(path)
        assert original.content_type == "image/avif"
        assert original.headers["Content-Disposition"] == 'attachment; filename="a.avif"'
        page = alice.get("/chatroom").text
        assert f'href="{path.replace("a.avif", "view")}"' in page
        assert f'download href="{path}"' in page
        other = shared(alice, make_picture(), "b.jpg", client_id="c2")
        assert alice.get(other.replace("b.jpg", "view")).status_code == 404
        assert f'download href="{other}"' not in alice.get("/chatroom").text

    @pytest.mark.parametrize("name", ["view", "thumbnail"])
    def test_a_file_may_have_the_name_of_a_copy(self, alice: Visitor, name: str) -> None:
        path = shared(alice, b"some words", name)
        assert path.endswith(f"/{name}")
        assert alice.get(path).data == b"some words"


class TestNames:
    def test_two_files_of_one_name_are_two_files(self, alice: Visitor) -> None:
        by_form(alice, (b"one", "a.txt"), (b"two", "a.txt"), text="both")
        first, second = messages(alice)[-1]["files"]
        assert first["name"] == second["name"] == "a.txt"
        assert [alice.get(f"/files/{file['id']}/a.txt").data for file in (first, second)] == [b"one", b"two"]

    @pytest.mark.parametrize(
        "name", ["thumbnail", "view", ".gitignore", "100%.txt", "%00?#;a=b&c.txt", "日本.ics", "A:B"]
    )
    def test_any_name_works_in_the_address(self, alice: Visitor, name: str) -> None:
        address = f"/files/{upload(alice, b'words', name).json['id']}/{quote(name, safe='')}"
        assert alice.get(address).data == b"words"


class TestDocuments:
    def test_members_see_the_first_page_on_the_card(self, alice: Visitor, mallory: Visitor) -> None:
        path = shared(alice, pdf(pages=2), "plan.pdf")
        thumbnail = path.rpartition("/")[0] + "/thumbnail"
        card = alice.get("/chatroom").text.partition('class="file file--document"')[2]
        assert f'src="{thumbnail}"' in card
        assert "2 pages · " in card
        assert alice.get(thumbnail).content_type == "image/webp"
        assert mallory.get(thumbnail).status_code == 404
        assert alice.get(path).headers["Content-Disposition"].startswith("attachment;")

    def test_without_a_picture_there_is_no_thumbnail(self, alice: Visitor) -> None:
        path = shared(alice, b"%PDF-1.7\n", "broken.pdf")
        assert alice.get(path.rpartition("/")[0] + "/thumbnail").status_code == 404


class TestRanges:
    CONTENT = b"".join(n.to_bytes(4, "big") for n in range(PIECE_BYTES // 2))

    @pytest.fixture
    def path(self, alice: Visitor) -> str:
        return shared(alice, self.CONTENT, "a.bin")

    @pytest.mark.parametrize(
        ("asked", "start", "stop"),
        [("0-0", 0, 1), ("10-19", 10, 20), (f"{PIECE_BYTES - 2}-{PIECE_BYTES + 1}", PIECE_BYTES - 2, PIECE_BYTES + 2)],
    )
    def test_a_part_is_given(self, alice: Visitor, path: str, asked: str, start: int, stop: int) -> None:
        answer = alice.get(path, headers={"Range": f"bytes={asked}"})
        assert (answer.status_code, answer.data) == (206, self.CONTENT[start:stop])
        assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(self.CONTENT)}"
        assert answer.content_length == stop - start

    def test_the_rest_and_the_end(self, alice: Visitor, path: str) -> None:
        assert alice.get(path, headers={"Range": "bytes=9000-"}).data == self.CONTENT[9000:]
        assert alice.get(path, headers={"Range": "bytes=-100"}).data == self.CONTENT[-100:]
        assert alice.get(path, headers={"Range": "bytes=0-99999999"}).data == self.CONTENT

    @pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=0-1,5-6", "bytes=-0"])
    def test_unsatisfiable_ranges_are_refused(self, alice: Visitor, path: str, asked: str) -> None:
        """B07."""
        answer = alice.get(path, headers={"Range": asked})
        assert answer.status_code == 416
        assert len(answer.data) < 10_000

    @pytest.mark.parametrize("asked", ["bytes=x-y", "bytes=5-1", "lines=0-1", "bytes", "", "bytes=--5", "bytes=1e3-"])
    def test_invalid_ranges_are_ignored(self, alice: Visitor, path: str, asked: str) -> None:
        """B07."""
        answer = alice.get(path, headers={"Range": asked})
        assert answer.status_code in {200, 416}
        if answer.status_code == 200:
            assert answer.data == self.CONTENT

    def test_only_if_the_file_is_unchanged(self, alice: Visitor, path: str) -> None:
        answer = alice.get(path, headers={"Range": "bytes=0-1", "If-Range": '"other"'})
        assert (answer.status_code, len(answer.data)) == (200, len(self.CONTENT))

    def test_head_returns_the_length(self, alice: Visitor, path: str) -> None:
        answer = alice.head(path)
        assert (answer.status_code, answer.data) == (200, b"")
        assert answer.content_length == len(self.CONTENT)
        assert answer.headers["Accept-Ranges"] == "bytes"
