"""Write the bounds of the settings into docs/settings.md, and .env.example from it: python -m tools.make_settings.

Each fact has one place: a description is written in docs/settings.md, a default and a bound in the code.
"""

import re
import textwrap
from pathlib import Path

import msgspec

from chatroom.base.config import Settings
from chatroom.base.setting_checks import allowed

ROOT = Path(__file__).resolve().parents[1]
PAGE, EXAMPLE = ROOT / "docs" / "settings.md", ROOT / ".env.example"
HEAD = """\
# Copy this file to .env, and remove the # from the settings that you change. Every setting is shown with its default.
# A variable in the environment has priority over this file.
"""
FIELDS = {field.name.upper(): field for field in msgspec.structs.fields(Settings)}
ROW = re.compile(r"^\| `([A-Z_]+)` \| [^|]* \| ([^|]+) \| [^|]* \|$", re.MULTILINE)
LINK = re.compile(r"\[([^]]+)\]\([^)]+\)")


def make_page(page: str) -> str:
    """The text of docs/settings.md with the defaults and bounds of the code."""
    return ROW.sub(_row, page)


def make_example(page: str) -> str:
    """The text of .env.example: for each setting of docs/settings.md, a comment and a commented line."""
    parts = [HEAD]
    for section in page.split("\n## ")[1:]:
        rows = ROW.findall(section)
        if rows:
            parts += [f"## {section.splitlines()[0]}\n", *(_entry(*row) for row in rows)]
    return "\n".join(parts)


def _row(found: re.Match[str]) -> str:
    name, description = found.groups()
    default = f"`{_default(name)}`" if _default(name) else "empty"
    return f"| `{name}` | {default} | {description} | {allowed(name, FIELDS[name].type)} |"


def _entry(name: str, description: str) -> str:
    plain = LINK.sub(r"\1", description).replace("`", "")
    texts = [plain, f"Allowed: {allowed(name, FIELDS[name].type)}."]
    lines = [line for text in texts for line in textwrap.wrap(text, 106, break_on_hyphens=False)]
    default = f'"{_default(name)}"' if " " in _default(name) else _default(name)
    return "".join(f"# {line}\n" for line in lines) + f"#{name}={default}\n"


def _default(name: str) -> str:
    value = FIELDS[name].default
    return f"{value:g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    text = make_page(PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(text, encoding="utf-8")
    EXAMPLE.write_text(make_example(text), encoding="utf-8")
