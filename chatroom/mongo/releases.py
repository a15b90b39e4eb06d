"""MongoDB releases without support, or with a vulnerability that needs no password (as of November 2026).

docs/threat-model.md describes each vulnerability and where it can be exploited.
"""

from collections.abc import Mapping, Sequence

Series = tuple[int, int]

SUPPORTED = {(7, 0), (8, 0), (8, 3)}
HOLES: Mapping[str, Mapping[Series, int]] = {
    "CVE-2024-3372": {(5, 0): 25, (6, 0): 14, (7, 0): 6},
    "CVE-2025-14847": {(4, 4): 30, (5, 0): 32, (6, 0): 27, (7, 0): 28, (8, 0): 17, (8, 2): 3},
    "CVE-2026-9740": {(7, 0): 35, (8, 0): 24, (8, 2): 10, (8, 3): 3},
    "CVE-2026-82067": {(7, 0): 43, (8, 0): 32, (8, 3): 11},
}
"""The first fixed release of each series, for each vulnerability; older series have no fix."""
IN_COMPRESSION = "CVE-2025-14847"
"""The vulnerability that only a server with compression has."""
GOOD = "7.0.43, 8.0.32, 8.3.11"


def complaint_about(version: Sequence[int], *, compresses: bool) -> str:
    """Describe the problem of a release in one sentence; return "" if no problem is known."""
    major, minor, release = version[:3]
    holes = [
        name
        for name, fixed in HOLES.items()
        if _has_hole((major, minor), release, fixed) and (compresses or name != IN_COMPRESSION)
    ]
    is_old = (major, minor) not in SUPPORTED and (major, minor) < max(SUPPORTED)
    wrong = ["is out of support"] * is_old + ["is older than the fix of " + ", ".join(holes)] * bool(holes)
    if not wrong:
        return ""
    return f"MongoDB {major}.{minor}.{release} {' and '.join(wrong)}. Update it to one of {GOOD}, or to a later one."


def _has_hole(series: Series, release: int, fixed: Mapping[Series, int]) -> bool:
    return release < fixed[series] if series in fixed else series < max(fixed)
