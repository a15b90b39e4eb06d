"""Bring decoded pictures to 8 bits per channel, in the colours that a viewer shows.

A picture may be grey, of 16 bits, of printing inks (CMYK), or have a colour profile. Small profiles of RGB pictures are
kept, because a good screen shows more colours than sRGB has. All other colours become sRGB.
"""

import io

from PIL import Image, ImageCms

from chatroom.files.profiles import make_profile

MOST_KEPT_BYTES = 4_096
"""The maximum size of a profile that is kept. The profile of phones (Display P3) has 548 bytes."""
MOST_PROFILE_BYTES = 4_000_000
HEAD_BYTES = 128
SPACES = {"L": b"GRAY", "LA": b"GRAY", "RGB": b"RGB ", "RGBA": b"RGB ", "CMYK": b"CMYK"}
"""The colour space that the profile of a picture must have, by the mode of the picture."""
WIDE_VALUES = 65_536


def to_eight_bits(image: Image.Image) -> Image.Image:
    """Return the picture in one of the modes of `SPACES`."""
    if image.mode.startswith("I"):
        image = _narrow(image)
    elif image.mode == "CMYK":
        return image
    colours = "L" if image.mode in {"L", "LA"} else "RGB"
    mode = colours + "A" if image.has_transparency_data else colours
    return image if image.mode == mode else image.convert(mode)


def to_screen(image: Image.Image) -> tuple[Image.Image, bytes]:
    """Return the picture in the mode RGB or RGBA, and the profile that belongs to it; b"" stands for sRGB."""
    mode = "RGBA" if image.mode in {"LA", "RGBA"} else "RGB"
    profile = _find_profile(image)
    if not profile and (made := make_profile(image.info)):
        image, profile = image.convert(mode), made
    if not profile:
        return image.convert(mode), b""
    if image.mode == mode and len(profile) <= MOST_KEPT_BYTES:
        return image, profile
    return _to_srgb(image, profile), b""


def _narrow(image: Image.Image) -> Image.Image:
    """Return a grey picture of 16 bits with 8 bits."""
    wide = image.convert("I")
    grey = wide.point([(value * 255 + 32_767) // 65_535 for value in range(WIDE_VALUES)], "L")
    clear = image.info.get("transparency")
    if isinstance(clear, int):
        grey = Image.merge("LA", (grey, wide.point([255 * (value != clear) for value in range(WIDE_VALUES)], "L")))
    grey.info.update(image.info)
    grey.info.pop("transparency", None)
    return grey


def _find_profile(image: Image.Image) -> bytes:
    """Return the profile of a picture, or b"" if there is none, or if it is of another colour space."""
    profile = image.info.get("icc_profile") or b""
    is_profile = HEAD_BYTES <= len(profile) <= MOST_PROFILE_BYTES and profile[36:40] == b"acsp"
    return profile if is_profile and profile[16:20] == SPACES[image.mode] else b""


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    plain = image.convert(image.mode.removesuffix("A"))
    try:
        srgb = ImageCms.createProfile("sRGB")
        result = ImageCms.profileToProfile(plain, io.BytesIO(profile), srgb, outputMode="RGB")
    except (OSError, ImageCms.PyCMSError):  # a damaged profile is ignored, as browsers do
        result = None
    result = result or plain.convert("RGB")
    if image.mode.endswith("A"):
        result.putalpha(image.getchannel("A"))
    return result
