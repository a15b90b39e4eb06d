"""Make colour profiles (ICC) for pictures that describe their colours by numbers: the gamma and primaries of a PNG."""

import struct
from collections.abc import Mapping, Sequence
from typing import Any

SRGB = 0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06
"""The chromaticities x and y of white, red, green and blue."""
DISPLAY_P3 = 0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060
SRGB_GAMMA = 1 / 2.2
D50 = 0.9642, 1.0, 0.8249
CONES = (0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296)
"""The matrix of Bradford, which adapts colours to another white."""

Vector = Sequence[float]


def make_profile(info: Mapping[Any, Any]) -> bytes:
    """Return the profile for the gamma and the primaries of a picture, or b"" if the colours are those of sRGB.

    As in browsers, primaries without a gamma are ignored.
    """
    gamma = info.get("gamma", 0)
    if "srgb" in info or not 0.1 < gamma < 10:
        return b""
    primaries = info.get("chromaticity", SRGB)
    has_srgb_curve = abs(gamma - SRGB_GAMMA) < 0.02
    if has_srgb_curve and all(abs(one - other) < 0.005 for one, other in zip(primaries, SRGB, strict=True)):
        return b""
    try:
        return _assemble(_adapted_primaries(primaries), b"" if has_srgb_curve else _gamma_curve(gamma))
    except (ZeroDivisionError, struct.error):  # primaries that are not a triangle
        return b""


def _adapted_primaries(primaries: Vector) -> list[Vector]:
    """Return red, green and blue as XYZ, as they look beside the white D50."""
    white, *columns = [_xyz(x, y) for x, y in zip(primaries[::2], primaries[1::2], strict=True)]
    scales = _solve(columns, white)
    gains = [new / old for new, old in zip(_times(CONES, D50), _times(CONES, white), strict=True)]
    found = []
    for column, scale in zip(columns, scales, strict=True):
        cones = _times(CONES, [scale * each for each in column])
        found.append(
            _solve(list(zip(*CONES, strict=True)), [gain * each for gain, each in zip(gains, cones, strict=True)])
        )
    return found


def _xyz(x: float, y: float) -> Vector:
    return x / y, 1.0, (1 - x - y) / y


def _times(rows: Sequence[Vector], vector: Vector) -> Vector:
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in rows]


def _solve(columns: Sequence[Vector], result: Vector) -> Vector:
    """Return the factors of three columns whose sum is the result (Cramer's rule)."""
    whole = _determinant(*columns)
    return [_determinant(*(result if n == m else column for m, column in enumerate(columns))) / whole for n in range(3)]


def _determinant(a: Vector, b: Vector, c: Vector) -> float:
    return a[0] * (b[1] * c[2] - b[2] * c[1]) - b[0] * (a[1] * c[2] - a[2] * c[1]) + c[0] * (a[1] * b[2] - a[2] * b[1])


def _gamma_curve(gamma: float) -> bytes:
    return struct.pack(">4sIHHi", b"para", 0, 0, 0, _fixed(1 / gamma))


def _srgb_curve() -> bytes:
    return struct.pack(">4sIHH5i", b"para", 0, 3, 0, *map(_fixed, (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)))


def _assemble(primaries: Sequence[Vector], curve: bytes) -> bytes:
    tags = {b"wtpt": _point(D50)}
    tags |= {name + b"XYZ": _point(each) for name, each in zip((b"r", b"g", b"b"), primaries, strict=True)}
    body = b"".join(tags.values()) + (curve or _srgb_curve())
    start = 128 + 4 + 12 * 7
    positions = [(name, start + 20 * n, 20) for n, name in enumerate(tags)]
    positions += [(name, start + 80, len(body) - 80) for name in (b"rTRC", b"gTRC", b"bTRC")]
    head = struct.pack(">I4sI4s4s4s", start + len(body), b"", 0x04200000, b"mntr", b"RGB ", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", *map(_fixed, D50))
    table = struct.pack(">I", len(positions)) + b"".join(struct.pack(">4sII", *each) for each in positions)
    return head.ljust(128, b"\0") + table + body


def _point(xyz: Vector) -> bytes:
    return struct.pack(">4sI3i", b"XYZ ", 0, *map(_fixed, xyz))


def _fixed(number: float) -> int:
    return round(number * 65_536)
