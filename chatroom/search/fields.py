"""The fields of the search form: words, a person, a room, since when. They and a query say the same."""

import msgspec

from chatroom.search.days import as_word

WHEN = {
    "today": "Today",
    "yesterday": "Since yesterday",
    "last-week": "Since last week",
    "last-month": "Since last month",
    "last-year": "Since last year",
}
"""The values of `after:` that the form offers, with their names."""


class Fields(msgspec.Struct, frozen=True, kw_only=True):
    """What the form asks for. What has no field of its own stays in `words`."""

    words: str = ""
    person: str = ""
    room: str = ""
    when: str = ""

    @property
    def query(self) -> str:
        """The query with these fields."""
        named = {"from": self.person, "in": self.room, "after": self.when}
        parts = [f"{operator}:{_quoted(value)}" for operator, value in named.items() if value.strip()]
        return " ".join([*self.words.split(), *parts])


def fields_of(parts: list[tuple[str, str, str]]) -> Fields:
    """Return the fields for the parts of a query: the operator, the value, and the part as typed.

    A part is in a field if it is the only one with its operator, and the form can show its value.
    """
    chosen: dict[str, str] = {}
    operators = [operator for operator, _, _ in parts]
    words = []
    for operator, value, typed in parts:
        is_shown = operator in {"from", "in"} or (operator == "after" and as_word(value) in WHEN)
        if is_shown and operators.count(operator) == 1:
            chosen[operator] = as_word(value) if operator == "after" else value
        else:
            words.append(typed)
    return Fields(
        words=" ".join(words),
        person=chosen.get("from", ""),
        room=chosen.get("in", ""),
        when=chosen.get("after", ""),
    )


def _quoted(value: str) -> str:
    plain = " ".join(value.replace('"', " ").split())
    return f'"{plain}"' if " " in plain else plain
