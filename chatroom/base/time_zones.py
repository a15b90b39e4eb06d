"""The time zones of the world, by their IANA names. Browsers also report old names, such as `Asia/Calcutta`."""

from collections.abc import Mapping
from datetime import UTC, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

REGIONS = (
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
)
NO_PLACES = {"Factory", "localtime"}
"""Files among the zones that do not name one place: a missing setting, and the setting of this machine."""


@cache
def zone_names() -> frozenset[str]:
    """Return the names that are accepted. Without the system's tzdata, this is only UTC."""
    return frozenset(available_timezones()) - NO_PLACES | {"UTC"}


def find_zone(name: str) -> tzinfo | None:
    """Return the zone with this name, or None. Any text is safe: only known names are looked up on the disk."""
    if name not in zone_names():
        return None
    return UTC if name == "UTC" else ZoneInfo(name)


@cache
def places() -> Mapping[str, Mapping[str, str]]:
    """Return the zones to choose from: for each region, a label that starts with the place, by the zone's name."""
    listed: dict[str, dict[str, str]] = {"": {"UTC": "UTC"}}
    for region in REGIONS:
        of_region = {name: _label(name) for name in zone_names() if name.startswith(f"{region}/")}
        if of_region:
            listed[region] = dict(sorted(of_region.items(), key=lambda item: item[1]))
    return listed


def _label(name: str) -> str:
    """Return `Buenos Aires (Argentina)` for `America/Argentina/Buenos_Aires`."""
    _, *country, place = name.replace("_", " ").split("/")
    return f"{place} ({country[0]})" if country else place
