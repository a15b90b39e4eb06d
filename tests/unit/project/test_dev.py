"""Which files `make dev` watches."""

from pathlib import Path

from tools.dev import read_stamps


def test_what_python_compiles_and_what_editors_keep_are_no_changes(tmp_path: Path) -> None:
    source = tmp_path / "chatroom" / "app.py"
    source.parent.mkdir()
    source.touch()
    before = read_stamps(tmp_path)
    assert list(before) == [source]
    (source.parent / "__pycache__").mkdir()
    for name in ("__pycache__/app.cpython-311.pyc", "app.py~", ".app.py.swp"):
        (source.parent / name).touch()
    assert read_stamps(tmp_path) == before
