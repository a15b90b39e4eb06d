"""What is said of a server's release."""

import pytest

from chatroom.mongo.releases import GOOD, HOLES, SUPPORTED, complaint_about


@pytest.mark.parametrize(
    ("version", "is_outdated"),
    [
        ([4, 2, 25, 0], True),
        ([4, 4, 29, 0], True),
        ([4, 4, 30, 0], False),
        ([5, 0, 31, 0], True),
        ([5, 0, 32, 0], False),
        ([6, 0, 5, 0], True),
        ([6, 0, 27, 0], False),
        ([7, 0, 27, 0], True),
        ([7, 0, 28, 0], False),
        ([7, 3, 4, 0], True),
        ([8, 0, 16, 0], True),
        ([8, 0, 17, 0], False),
        ([8, 2, 2, 0], True),
        ([8, 2, 3, 0], False),
        ([8, 3, 0, -100], False),
        ([9, 0, 0, 0], False),
    ],
)
def test_o02_a_server_older_than_the_fix_is_reported(version: list[int], is_outdated: bool) -> None:
    """O02: and one that compresses nothing does not have it."""
    assert ("CVE-2025-14847" in complaint_about(version, compresses=True)) is is_outdated
    assert "CVE-2025-14847" not in complaint_about(version, compresses=False)


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ([6, 0, 5, 0], "MongoDB 6.0.5 is out of support and is older than the fix of CVE-2024-3372, CVE-2026-9740"),
        ([6, 0, 29, 0], "MongoDB 6.0.29 is out of support and is older than the fix of CVE-2026-9740"),
        ([7, 0, 42, 0], "MongoDB 7.0.42 is older than the fix of CVE-2026-82067. Update it to one of"),
        ([8, 2, 11, 0], "MongoDB 8.2.11 is out of support and is older than the fix of CVE-2026-82067"),
        ([8, 1, 0, 0], "MongoDB 8.1.0 is out of support"),
    ],
)
def test_o02_the_text_of_the_warning(version: list[int], said: str) -> None:
    """O02."""
    assert complaint_about(version, compresses=False).startswith(said)


@pytest.mark.parametrize("version", [*GOOD.split(", "), "8.4.0", "9.0.0"])
def test_of_a_good_one_nothing(version: str) -> None:
    assert complaint_about([int(part) for part in version.split(".")], compresses=True) == ""


def test_each_series_that_is_supported_has_a_good_release() -> None:
    assert {tuple(map(int, version.split(".")[:2])) for version in GOOD.split(", ")} == SUPPORTED
    assert all(max(fixed) <= max(SUPPORTED) for fixed in HOLES.values())
