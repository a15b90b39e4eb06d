"""The docs have each command of the console with its arguments and options, and use no others."""

import re
import shlex
from collections.abc import Iterator

import click
import pytest
from flask import Flask

from chatroom.web.commands import COMMANDS
from tests.documents import pages, present_pages, read, section, tables

BUILTIN = {"run", "routes", "shell"}
USED = re.compile(r"(?:flask --app test_mongo|chatroom flask) ([a-z-]+)([^`;|&>\n]*)")
OPTIONS = {name for each in COMMANDS for option in each.params for name in [*option.opts, *option.secondary_opts]}
OF_OTHERS = {"--app", "--file", "--help", "--no-cache", "--url"}
"""Options of flask, Docker Compose, each command and the attacks, and a word that the search finds."""


def test_the_tables_have_each_command_with_its_arguments_and_options() -> None:
    rows = [row for table in tables(section("docs/operating.md", "Commands")) for row in table]
    assert [tuple(row[:2]) for row in rows] == [(f"`{each.name}`", described(each)) for each in COMMANDS]
    assert all(text for *_, text in rows)


@pytest.mark.parametrize("page", pages())
def test_each_use_is_valid(page: str, app: Flask) -> None:
    for name, words in USED.findall(read(page)):
        if name not in BUILTIN | {"--help"} and not {"$", "…"} & set(words):
            check_use(app.cli.commands[name], shlex.split(words, comments=True))


@pytest.mark.parametrize("page", present_pages())
def test_each_option_in_a_sentence_exists(page: str) -> None:
    assert set(re.findall(r"`(--[a-z-]+)", read(page))) <= OPTIONS | OF_OTHERS


def check_use(command: click.Command, words: list[str]) -> None:
    """Fail if the command would refuse these words. A name alone, without its arguments, is in order."""
    context = click.Context(command)
    given, more, _ = command.make_parser(context).parse_args(list(words))
    assert more == [], command.name
    for parameter in command.params:
        value = given.get(str(parameter.name))
        if isinstance(value, str | list):
            parameter.type_cast_value(context, value)
        else:
            assert value is True or not parameter.required or not words, parameter.name


def described(command: click.Command) -> str:
    """The arguments and options of a command, as the tables write them."""
    context = click.Context(command)
    return ", ".join(described_parameter(parameter, context) for parameter in command.params)


def described_parameter(parameter: click.Parameter, context: click.Context) -> str:
    """One of them with its values, such as `--uses` (1 to 10,000; default 1)."""
    remarks, default = list(values(parameter)), parameter.get_default(context)
    if isinstance(parameter, click.Argument):
        name = f"`{parameter.metavar or str(parameter.name).upper()}`"
        return name + in_parentheses(remarks + ["optional"] * (not parameter.required))
    assert isinstance(parameter, click.Option)
    value = "" if parameter.is_flag or remarks else f" {parameter.make_metavar(context)}"
    name = " or ".join(f"`{option}{value}`" for option in [*parameter.opts, *parameter.secondary_opts])
    remarks += ["required"] * parameter.required + ["repeatable"] * parameter.multiple
    if default and isinstance(default, str | int | tuple) and not parameter.is_flag:
        remarks.append(f"default {shown(default)}")
    return name + in_parentheses(remarks)


def values(parameter: click.Parameter) -> Iterator[str]:
    kind = parameter.type
    if isinstance(kind, click.Choice):
        yield ", ".join(map(shown, kind.choices))
    if isinstance(kind, click.IntRange):
        yield f"{kind.min:,} to {kind.max:,}"


def shown(value: object) -> str:
    if isinstance(value, tuple):
        return " and ".join(map(shown, value))
    return f"{value:,}" if isinstance(value, int) else f"`{value}`"


def in_parentheses(remarks: list[str]) -> str:
    return f" ({'; '.join(remarks)})" if remarks else ""
