"""Run commands as an operator does at the console."""

from flask.testing import FlaskCliRunner

from tests.visitors import PASSWORD


def run(runner: FlaskCliRunner, *words: str, typed: str | None = None) -> tuple[int, str]:
    result = runner.invoke(args=list(words), input=typed)
    return result.exit_code, result.output


def create(runner: FlaskCliRunner, name: str, *options: str) -> tuple[int, str]:
    return run(runner, "create-user", name, "--password-stdin", *options, typed=f"{PASSWORD}\n")
