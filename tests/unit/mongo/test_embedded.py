"""The embedded mongod's parts that need no mongod: the folder, the binary, the log, what is said of a failure."""

import os
import shlex
import shutil
import socket
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.machinery import PathFinder
from itertools import pairwise
from pathlib import Path, PosixPath
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from pymongo.errors import AutoReconnect, OperationFailure

from chatroom.base import owners
from chatroom.mongo.embedded import (
    EmbeddedError,
    EmbeddedMongo,
    folder,
    guardian,
    mongod,
    place,
    setup,
    versions,
)
from chatroom.mongo.embedded.folder import DataFolder, FolderError
from chatroom.mongo.embedded.place import clear_place, clear_stale, place_socket
from chatroom.mongo.embedded.process import Process


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class TestDataFolder:
    def test_is_for_its_owner_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "some" / "data"
        opened = DataFolder.open(path)
        opened.write("secret", "x")
        opened.close()
        assert mode(path) == 0o700
        assert {mode(file) for file in path.iterdir()} == {0o600}

    def test_closes_a_folder_of_ours_that_was_opened_to_others(self, tmp_path: Path) -> None:
        DataFolder.open(tmp_path / "data").close()
        (tmp_path / "data").chmod(0o755)
        DataFolder.open(tmp_path / "data").close()
        assert mode(tmp_path / "data") == 0o700

    def test_a_folder_of_another_account_is_refused_and_unchanged(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """O09."""
        tmp_path.chmod(0o755)
        me = os.geteuid()
        other = SimpleNamespace(**vars(os) | {"geteuid": lambda: me + 4242})
        monkeypatch.setattr(folder, "os", other)
        monkeypatch.setattr(owners, "os", other)
        for owner, remedy in ((7, f"Run: sudo -u {owners.name_of(7)} {shlex.join(sys.orig_argv)}"), (0, "chown -R ")):
            monkeypatch.setattr(folder, "owner_of", lambda _, owner=owner: owner)
            with pytest.raises(FolderError, match=r"belongs to another account \(\w+\).*, or set DATA_DIR") as refusal:
                DataFolder.open(tmp_path)
            assert remedy in str(refusal.value)
        assert mode(tmp_path) == 0o755
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("name", ["app.lock", "mongo/journal/WiredTigerLog.0000000001"])
    def test_a_folder_with_files_of_another_account_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        """O09. Such a file is left by a command that root ran."""
        DataFolder.open(tmp_path).close()
        planted = tmp_path / name
        planted.parent.mkdir(parents=True, exist_ok=True)
        planted.touch()
        lstat, other = Path.lstat, SimpleNamespace(st_uid=os.geteuid() + 4242)
        monkeypatch.setattr(Path, "lstat", lambda self: other if self == planted else lstat(self))
        with pytest.raises(FolderError, match=rf"'{name}' in the data folder .* another account .* chown -R \w+: "):
            DataFolder.open(tmp_path)

    def test_an_owner_without_a_name_has_a_number(self) -> None:
        assert owners.name_of(3_000_000_000) == "3000000000"

    def test_a_replaceable_folder_is_refused(self, tmp_path: Path) -> None:
        """O09."""
        (tmp_path / "open").mkdir()
        (tmp_path / "open").chmod(0o777)
        with pytest.raises(FolderError, match=r"in .*/open, which every account can change.*chmod o-w"):
            DataFolder.open(tmp_path / "open" / "data")
        (tmp_path / "open").chmod(0o1777)
        DataFolder.open(tmp_path / "open" / "data").close()

    def test_a_folder_without_file_modes_is_refused(self, tmp_path: Path) -> None:
        """O09: as on a file system without modes."""

        class WithoutModes(PosixPath):
            def chmod(self, mode: int, *, follow_symlinks: bool = True) -> None: ...

        tmp_path.chmod(0o755)
        with pytest.raises(FolderError, match="cannot be protected from other accounts"):
            DataFolder.open(WithoutModes(tmp_path))

    def test_a_folder_with_other_things_is_refused_and_left_as_it_was(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o755)
        (tmp_path / "thesis.tex").touch()
        with pytest.raises(FolderError, match=r"thesis\.tex.*DATA_DIR"):
            DataFolder.open(tmp_path)
        assert mode(tmp_path) == 0o755

    def test_a_new_file_system_is_as_good_as_empty(self, tmp_path: Path) -> None:
        (tmp_path / "lost+found").mkdir()
        (tmp_path / ".DS_Store").touch()
        DataFolder.open(tmp_path).close()

    def test_the_second_process_learns_who_uses_the_folder(self, tmp_path: Path) -> None:
        opened = DataFolder.open(tmp_path)
        with pytest.raises(FolderError, match=rf"process {os.getpid()}\) uses the data folder {tmp_path}"):
            DataFolder.open(tmp_path)
        opened.close()
        DataFolder.open(tmp_path).close()

    def test_closing_twice_is_harmless(self, tmp_path: Path) -> None:
        opened = DataFolder.open(tmp_path)
        opened.close()
        opened.close()

    def test_a_path_that_cannot_be_a_folder_names_the_setting(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(FolderError, match="DATA_DIR"):
            DataFolder.open(tmp_path / "file")

    def test_keeps_the_first_record(self, tmp_path: Path) -> None:
        opened = DataFolder.open(tmp_path)
        assert [opened.keep("secret", iter("ab").__next__) for _ in range(2)] == ["a", "a"]
        opened.close()

    def test_a_draft_left_by_a_crash_is_written_over(self, tmp_path: Path) -> None:
        opened = DataFolder.open(tmp_path)
        (tmp_path / "secret.new").write_text("half a sec")
        opened.write("secret", "whole")
        opened.close()
        assert (tmp_path / "secret").read_text() == "whole"


class Locked(PosixPath):
    """A file whose mode cannot be changed, as on a file system that is mounted for reading."""

    def chmod(self, mode: int, *, follow_symlinks: bool = True) -> None:
        raise PermissionError


class TestBinary:
    @pytest.fixture
    def look_in(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
        """Let mongod be looked for in these folders, and nowhere else: on the PATH, and among the packages."""

        def look(*, path: str = "", packages: str = "") -> None:
            found_by = SimpleNamespace(find_spec=lambda name: PathFinder.find_spec(name, [packages]))
            monkeypatch.setattr(mongod, "importlib", SimpleNamespace(util=found_by))
            which = SimpleNamespace(**vars(shutil) | {"which": lambda name: shutil.which(name, path=path)})
            monkeypatch.setattr(mongod, "shutil", which)

        return look

    def test_the_one_on_the_path_and_the_bundled_one_are_found(
        self, tmp_path: Path, look_in: Callable[..., None]
    ) -> None:
        (tmp_path / "mongod").touch(0o755)
        bundle = tmp_path / "fiftyone" / "db" / "bin" / "mongod"
        bundle.parent.mkdir(parents=True)
        bundle.touch()
        look_in(path=str(tmp_path), packages=str(tmp_path))
        assert mongod.find_binaries() == [tmp_path / "mongod", bundle]
        look_in(packages=str(tmp_path))
        assert mongod.find_binaries() == [bundle]

    @pytest.mark.parametrize("package", ["", "fiftyone"], ids=["no package", "a package without a mongod"])
    def test_without_any_the_way_out_is_named(self, tmp_path: Path, look_in: Callable[..., None], package: str) -> None:
        (tmp_path / package).mkdir(exist_ok=True)
        look_in(packages=str(tmp_path))
        with pytest.raises(EmbeddedError, match=r"\(Linux, x86_64\)\. Install the packages of req.*MONGO_URI"):
            EmbeddedMongo.launch(tmp_path / "data")
        assert not (tmp_path / "data").exists()

    @pytest.mark.parametrize(
        ("system", "machine", "remedy"),
        [
            ("Darwin", "arm64", "brew install mongodb-community"),
            ("Darwin", "x86_64", "brew install mongodb-community"),
            ("Linux", "aarch64", "mongodb.com/try/download/community"),
            ("FreeBSD", "amd64", "Install MongoDB, so that mongod is on the PATH"),
        ],
    )
    def test_the_way_out_is_that_of_the_system(
        self, look_in: Callable[..., None], monkeypatch: pytest.MonkeyPatch, system: str, machine: str, remedy: str
    ) -> None:
        look_in()
        names = SimpleNamespace(system=lambda: system, machine=lambda: machine)
        monkeypatch.setattr(mongod, "platform", names)
        with pytest.raises(EmbeddedError, match=rf"\({system}, {machine}\).*{remedy}.*or set MONGO_URI"):
            mongod.find_binaries()

    def test_a_lost_run_bit_is_given_back(self, tmp_path: Path) -> None:
        binary = tmp_path / "mongod"
        binary.touch(0o644)
        assert mongod.make_runnable(binary, tmp_path) == binary
        assert os.access(binary, os.X_OK)
        assert mongod.make_runnable(binary, tmp_path / "unused") == binary

    def test_without_execute_permission_a_copy_is_used(self, tmp_path: Path) -> None:
        binary = Locked(tmp_path / "mongod")
        binary.write_text("the binary")
        folder = tmp_path / "data"
        folder.mkdir()
        copy = mongod.make_runnable(binary, folder)
        assert copy.parent == folder
        assert copy.read_text() == "the binary"
        assert mode(copy) == 0o700


class TestVersions:
    """Which of several mongods is used: the newest that can open the data files."""

    @pytest.fixture
    def made(self, tmp_path: Path) -> Callable[[str], Path]:
        """Make a mongod that says it is of some release; of "" it says nothing."""

        def make(release: str) -> Path:
            binary = tmp_path / f"mongod-{release}"
            said = f"db version v{release}\nBuild Info: {{}}" if release else "what?"
            binary.write_text(f"#!/bin/sh\n[ $1 = --version ] && echo '{said}'\n")
            binary.chmod(0o755)
            return binary

        return make

    def test_its_version_is_parsed(self, made: Callable[[str], Path], tmp_path: Path) -> None:
        assert versions.release_of(made("8.0.32-rc1")) == (8, 0, 32)
        assert versions.release_of(made("")) == versions.release_of(tmp_path / "none") == (0, 0, 0)
        assert versions.release_of(mongod.find_binaries()[0]) > (6, 0, 0)

    @pytest.mark.parametrize(
        ("releases", "files", "chosen"),
        [
            (["8.0.32", "6.0.5"], "", "8.0.32"),
            (["6.0.3", "6.0.5"], "", "6.0.5"),
            (["6.0.5", "6.0.5"], "", "6.0.5"),
            (["", "6.0.5"], "", "6.0.5"),
            (["7.0.43", "6.0.5"], "6.0", "7.0.43"),
            (["8.0.32", "6.0.5"], "7.0", "8.0.32"),
            (["8.3.11", "6.0.5"], "8.0", "8.3.11"),
            (["6.0.5"], "5.0", "6.0.5"),
            (["5.0.32"], "4.4", "5.0.32"),
            (["10.0.1"], "9.0", "10.0.1"),
            ([""], "8.0", ""),
        ],
    )
    def test_the_newest_that_can(
        self, made: Callable[[str], Path], releases: list[str], files: str, chosen: str
    ) -> None:
        """O11."""
        assert versions.choose([made(release) for release in releases], files) == made(chosen)

    @pytest.mark.parametrize(
        ("releases", "files", "said"),
        [
            (
                ["6.0.5"],
                "7.0",
                "files belong to MongoDB 7.0, but .* is 6.0.5, which cannot read them: put a mongod of 7.0",
            ),
            (["", "6.0.5"], "7.0", "is 6.0.5, which cannot read them: put a mongod of 7.0"),
            (["8.0.32", "6.0.5"], "9.0", "files belong to MongoDB 9.0, but .* is 8.0.32, which cannot read them"),
            (["8.0.32"], "6.0", "is 8.0.32: a version in between is missing.* with a mongod of 7.0 on the PATH"),
            (["8.3.11"], "7.0", "is 8.3.11: a version in between is missing.* with a mongod of 8.0 on the PATH"),
            (["9.0.0"], "6.0", "a version in between is missing.* with a mongod of 7.0 on the PATH"),
        ],
    )
    def test_if_no_version_fits_the_missing_one_is_named(
        self, made: Callable[[str], Path], releases: list[str], files: str, said: str
    ) -> None:
        """O11."""
        with pytest.raises(EmbeddedError, match=said) as refusal:
            versions.choose([made(release) for release in releases], files)
        assert "\n" not in str(refusal.value)

    def test_a_mongod_that_skips_a_version_is_reported_and_an_older_one_used(
        self, made: Callable[[str], Path], caplog: pytest.LogCaptureFixture
    ) -> None:
        assert versions.choose([made("8.0.32"), made("6.0.5")], "6.0") == made("6.0.5")
        assert "Start once with a mongod of 7.0" in caplog.text
        assert "Until then" in caplog.text

    def test_existing_files_are_opened_by_the_previous_version(self, made: Callable[[str], Path]) -> None:
        """O11: the first on the PATH, whatever it is; nobody wrote down of which version they are."""
        binaries = [made("4.4.29"), made("6.0.5")]
        assert versions.candidates(binaries, "", is_new=False) == binaries
        assert versions.candidates(binaries, "", is_new=True) == binaries[1:]
        assert versions.candidates(binaries, "4.4", is_new=False) == binaries[:1]

    def test_a_binary_that_never_answers_is_skipped(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(versions, "_ANSWER_SECONDS", 0.1)
        binary = tmp_path / "mongod"
        binary.write_text("#!/bin/sh\nexec sleep 3600")
        binary.chmod(0o755)
        assert versions.release_of(binary) == (0, 0, 0)


class TestCarryingOver:
    """To a version of mongod that is not here; to 6.0 it is tried on the real one."""

    @pytest.mark.parametrize(("version", "confirmed"), [([6, 0, 5, 0], {}), ([7, 0, 43, 0], {"confirm": True})])
    def test_the_compatibility_version_is_set_and_confirmed(
        self, version: list[int], confirmed: dict[str, bool]
    ) -> None:
        client = Mock(spec=["admin", "server_info"])
        client.server_info.return_value = {"versionArray": version}
        client.admin.command.return_value = {"featureCompatibilityVersion": {"version": "5.0", "targetVersion": "x"}}
        assert setup._upgrade(client) == f"{version[0]}.0"
        assert client.admin.command.call_args.args == ("setFeatureCompatibilityVersion", f"{version[0]}.0")
        assert client.admin.command.call_args.kwargs == confirmed

    def test_files_of_this_version_are_left_alone(self) -> None:
        client = Mock(spec=["admin", "server_info"])
        client.server_info.return_value = {"versionArray": [8, 0, 32, 0]}
        client.admin.command.return_value = {"featureCompatibilityVersion": {"version": "8.0"}}
        assert setup._upgrade(client) == "8.0"
        client.admin.command.assert_called_once()


def temporary(path: str) -> SimpleNamespace:
    """The module `tempfile` where this is the folder for what is temporary."""
    return SimpleNamespace(mkdtemp=tempfile.mkdtemp, gettempdir=lambda: path)


class TestPlace:
    @pytest.fixture
    def short(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
        """A folder with a short and simple path, where others are made as well."""
        with tempfile.TemporaryDirectory(prefix="t", dir="/tmp") as path:
            monkeypatch.setattr(place, "tempfile", temporary(path))
            monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
            yield Path(path)

    def test_is_the_folder_itself(self, short: Path) -> None:
        (short / "mongod.sock").touch()  # left by a crash
        assert place_socket(short) == short / "mongod.sock"
        assert not list(short.iterdir())

    @pytest.mark.parametrize("name", ["x" * 96, "Data", "d:ata", "d,ata", "d ata", "d%2fata", "dät", "d\udcff"])
    def test_a_path_that_is_too_long_or_too_odd_gets_a_folder_of_its_own(self, short: Path, name: str) -> None:
        """O09."""
        (short / name).mkdir()
        path = place_socket(short / name)
        assert path.parent.parent == short
        assert path.parent != short / name
        assert mode(path.parent) == 0o700
        path.touch()
        clear_place(path, short / name)
        assert not path.parent.exists()
        clear_place(path, short / name)

    def test_temporary_folders_with_capitals_are_not_used(self, short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """As on macOS."""
        (short / "T").mkdir()
        monkeypatch.setattr(place, "tempfile", temporary(str(short / "T")))
        path = place_socket(short / "T")
        assert path.parent.parent == Path("/tmp")
        assert mode(path.parent) == 0o700
        clear_place(path, short / "T")

    def test_without_a_place_the_error_says_so(self, short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (short / "T").mkdir()
        monkeypatch.setattr(place, "LAST_PLACE", str(short / "T"))
        monkeypatch.setattr(place, "tempfile", temporary(str(short / "T")))
        monkeypatch.setenv("RUNTIME_DIRECTORY", str(short / "none"))
        with pytest.raises(EmbeddedError, match=r"DATA_DIR .* at most 95 characters .*, all of a-z"):
            place_socket(short / "T")
        assert not list((short / "T").iterdir())

    def test_the_runtime_directory_has_priority_over_tmp(self, short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A unit's /tmp is its own, and the console's commands would not find the socket in it."""
        for name in ("Data", "run"):
            (short / name).mkdir()
        monkeypatch.setenv("RUNTIME_DIRECTORY", f"{short / 'none'}:{short / 'run'}")
        path = place_socket(short / "Data")
        assert path.parent.parent == short / "run"
        assert mode(path.parent) == 0o700

    @pytest.fixture
    def left(self, short: Path) -> Path:
        """A socket in a folder of its own, where nobody listens any more."""
        (short / "Data").mkdir()
        path = place_socket(short / "Data")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
        return path

    def test_sockets_of_a_killed_run_are_removed(self, short: Path, left: Path) -> None:
        clear_stale(left, short / "Data")
        assert not left.parent.exists()
        clear_stale(left, short / "Data")
        clear_stale(Path(), short / "Data")

    def test_files_of_others_are_left_alone(self, short: Path, left: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        clear_stale(left, left.parent)  # the data folder itself
        left.parent.chmod(0o750)
        clear_stale(left, short / "Data")
        left.parent.chmod(0o700)
        (short / "chatroom-link").symlink_to(left.parent)
        clear_stale(short / "chatroom-link" / left.name, short / "Data")
        other = SimpleNamespace(**vars(os) | {"geteuid": lambda: os.geteuid() + 4242})
        with monkeypatch.context() as patch:
            patch.setattr(place, "os", other)
            clear_stale(left, short / "Data")
        renamed = left.parent.rename(short / "another") / left.name
        clear_stale(renamed, short / "Data")
        assert renamed.exists()

    def test_a_socket_in_use_is_left_alone(self, short: Path, left: Path) -> None:
        """That of the room whose data folder was copied."""
        left.unlink()
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(left))
            listener.listen(1)
            for _ in range(4):  # until its queue is full
                clear_stale(left, short / "Data")
                assert left.exists()


class TestExplanation:
    @pytest.mark.parametrize(
        ("log", "said"),
        [
            (
                "mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file",
                "mongod needs libcurl.so.4: install libcurl4, or set MONGO_URI",
            ),
            (
                "mongod: error while loading shared libraries: /usr/lib/libssl.so.3: file too short",
                "install the package that has libssl.so.3, or set MONGO_URI",
            ),
            ('{"s":"F","msg":"UPGRADE PROBLEM: Found an invalid"}', "files in /data belong to another MongoDB version"),
            ('{"s":"F","msg":"Wrong mongod version"}', "files in /data belong to another MongoDB version"),
            ('{"s":"E","msg":"WT","attr":"28: No space left on device"}', "The disk with /data is full"),
            ('{"s":"I","msg":"a"}\n{"s":"F","msg":"b","attr":{"x":1}}\n{"s":"I","msg":"c"}', "/data: b {'x': 1}"),
            ("mongod: Exec format error\n\n", "/data: mongod: Exec format error"),
            ("", "it left no message"),
        ],
    )
    def test_is_one_sentence_that_names_the_cause(self, log: str, said: str) -> None:
        sentence = mongod.explain(log, Path("/data"))
        assert said in sentence
        assert "\n" not in sentence


class TestRecord:
    """Losing the passwords must never look like a first start, which begins with an empty database."""

    def launch(self, path: Path) -> None:
        (path / "app.lock").touch()
        EmbeddedMongo.launch(path)

    def test_a_lost_one_is_refused_and_the_database_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "mongo").mkdir()
        with pytest.raises(EmbeddedError, match=r"mongo\.json is missing"):
            self.launch(tmp_path)
        assert (tmp_path / "mongo").exists()

    def test_a_damaged_one_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "mongo.json").write_text("{")
        with pytest.raises(EmbeddedError, match=r"mongo\.json is damaged"):
            self.launch(tmp_path)

    def test_a_file_in_the_way_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "mongod.log").mkdir()
        with pytest.raises(EmbeddedError, match=r"cannot be started in .*mongod\.log"):
            self.launch(tmp_path)

    def test_the_folder_is_free_again_after_a_refusal(self, tmp_path: Path) -> None:
        (tmp_path / "mongo.json").write_text("{")
        with pytest.raises(EmbeddedError):
            self.launch(tmp_path)
        DataFolder.open(tmp_path).close()


def move(client: Mock, check: Callable[[], None]) -> None:
    setup._repeat(lambda: setup._reconfigure(client, "/srv/mongod.sock"), check)


class TestMove:
    """A place that was taken by somebody who answers nothing: mongod asks them for 30 s who they are."""

    def test_is_tried_until_mongod_has_read_its_configuration(self) -> None:
        client = Mock(spec=["admin"])
        refusals = [OperationFailure("not yet", 94), AutoReconnect("hung up"), OperationFailure("in progress", 109)]
        client.admin.command.side_effect = [*refusals, {"ok": 1}]
        check = Mock()
        move(client, check)
        assert check.call_count == 3
        name, configuration = client.admin.command.call_args.args
        assert name == "replSetReconfig"
        assert configuration["members"] == [{"_id": 0, "host": "/srv/mongod.sock"}]

    def test_ends_with_mongod(self) -> None:
        client = Mock(spec=["admin"])
        client.admin.command.side_effect = OperationFailure("not yet", 94)
        with pytest.raises(EmbeddedError):
            move(client, Mock(side_effect=EmbeddedError))

    def test_does_not_hide_another_refusal(self) -> None:
        client = Mock(spec=["admin"])
        client.admin.command.side_effect = OperationFailure("unauthorized", 13)
        with pytest.raises(OperationFailure, match="unauthorized"):
            move(client, Mock())


class TestGuardianLog:
    def test_keeps_the_newest_lines_and_a_bounded_number_of_bytes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(guardian, "_LOG_BYTES", 100)
        log = guardian.Log(str(tmp_path / "log"))
        for number in range(200):
            log.write(f"line {number}\n".encode())
        log.note("the end")
        kept = (tmp_path / "log.1").read_text() + (tmp_path / "log").read_text()
        assert kept.endswith("line 199\nguardian: the end\n")
        assert len(kept) <= 200
        assert {file.name for file in tmp_path.iterdir()} == {"log", "log.1"}
        assert mode(tmp_path / "log") == 0o600

    def test_continues_after_an_earlier_run(self, tmp_path: Path) -> None:
        for text in (b"one\n", b"two\n"):
            guardian.Log(str(tmp_path / "log")).write(text)
        assert (tmp_path / "log").read_bytes() == b"one\ntwo\n"

    def test_a_full_disk_loses_lines_and_raises_nothing(self) -> None:
        guardian.Log("/dev/full").write(b"a line\n")


def test_the_guardian_reports_restarts_and_a_full_disk_but_not_twice_a_minute(tmp_path: Path) -> None:
    script = tmp_path / "mongod"
    script.write_text(
        "#!/bin/sh\necho >> runs\ntest $(wc -l < runs) -gt 2 && exit 4\necho 28: No space left on device\nexit 3\n"
    )
    script.chmod(0o755)
    with (tmp_path / "lock").open("w") as lock:
        process = Process([str(script)], tmp_path, lock.fileno())
        process.is_ready()
        reports = process.reports()
        assert next(reports) == "mongod exited with 3 and is started again: No space left on device"
        assert next(reports) == "mongod exited with 4 and is started again"
        process.end()
    assert list(reports) == []
    assert len((tmp_path / "runs").read_text()) >= 3


def test_compression_scripts_and_other_machines_are_shut_out() -> None:
    words = mongod.command(Path("mongod"), files=Path("f"), key=Path("k"), socket=Path("/s"))
    assert {"--noscripting", "--nounixsocket"} <= set(words)
    options = dict(pairwise(words))
    assert options["--networkMessageCompressors"] == "disabled"
    assert options["--bind_ip"] == "/s"
    assert options["--keyFile"] == "k"
