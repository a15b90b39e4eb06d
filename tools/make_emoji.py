"""Make static/emoji/emoji.json from the npm package emojibase-data, unpacked.

    npm pack emojibase-data@17 && tar xzf emojibase-data-17*.tgz
    python tools/make_emoji.py package

The result is in the repository, so neither the site nor its tests need npm.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

GOAL = Path(__file__).resolve().parents[1] / "static" / "emoji"
PRESETS = ["github", "iamcal", "emojibase"]
"""The sources of short codes, in order of priority: GitHub, Slack, and the data itself if they have none."""
COMPONENTS = 2  # skin tones and hair, which are not emoji by themselves


def main(package: Path) -> None:
    """Read the package, write the data and its licence."""
    english = package / "en"
    emoji: list[dict[str, Any]] = [
        each for each in read(english / "compact.json") if each.get("group", 2) != COMPONENTS
    ]
    presets = [read(english / "shortcodes" / f"{name}.json") for name in PRESETS]
    forms = read(package / "meta" / "hexcodes.json")
    groups = [each for each in read(english / "messages.json")["groups"] if each["order"] != COMPONENTS]
    places = {each["order"]: place for place, each in enumerate(groups)}
    taken: set[str] = set()
    rows = []
    for each in sorted(emoji, key=lambda each: (each["group"], each["order"])):
        codes = [code for code in codes_of(each["hexcode"], presets) if code not in taken]
        taken.update(codes)
        words = [word for word in each.get("tags", ()) if word not in each["label"].split()]
        character = full_form(each["hexcode"], forms)
        skins = int("skins" in each)
        rows.append([character, places[each["group"]], " ".join(codes), each["label"], " ".join(words), skins])
    version = read(package / "package.json")["version"]
    names = [each["message"].capitalize() for each in groups]
    head = {"source": f"emojibase-data {version}, by Miles Johnson, MIT", "groups": names}
    lines = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    GOAL.mkdir(exist_ok=True)
    text = json.dumps(head, ensure_ascii=False)[:-1] + ', "emoji": [\n' + lines + "\n]}\n"
    (GOAL / "emoji.json").write_text(text, encoding="utf-8")
    shutil.copyfile(package / "LICENSE", GOAL / "LICENSE.txt")


def codes_of(hexcode: str, presets: list[dict[str, Any]]) -> list[str]:
    """All short codes of an emoji in the well-known sets, or the codes of the data itself."""
    *known, own = ([found] if isinstance(found := preset.get(hexcode, []), str) else found for preset in presets)
    return list(dict.fromkeys(code for codes in known for code in codes)) or own


def full_form(hexcode: str, forms: dict[str, dict[str, int]]) -> str:
    """The fully qualified sequence: with the variation selector for the coloured form, if it is needed."""
    full = next((form for form, kind in forms.get(hexcode, {}).items() if kind == 0), hexcode)
    return "".join(chr(int(part, 16)) for part in full.split("-"))


def read(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
