"""Share compiled templates and URL builders between all applications of a test run.

Making them took more than half of the time of a page's test.
"""

from collections.abc import Callable
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule


class Compiled(BytecodeCache):
    """A cache of compiled templates in memory, by name and source."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        kept = self._kept.get((bucket.key, bucket.checksum))
        if kept is not None:
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


_compiled = Compiled()


def share_templates(app: Flask) -> Flask:
    """Let an application use templates that another application has compiled."""
    app.jinja_env.bytecode_cache = _compiled
    return app


def share_builders() -> None:
    """Let equal rules of several applications share the function that builds their URL."""
    make: Callable[..., Any] = Rule._compile_builder
    kept: dict[Any, Any] = {}

    def compile_builder(rule: Rule, append_unknown: bool = True) -> Any:
        if rule.defaults:  # they are made a part of it
            return make(rule, append_unknown)
        key = rule.rule, tuple(rule._trace), append_unknown
        if key not in kept:
            kept[key] = make(rule, append_unknown)
        return kept[key]

    Rule._compile_builder = compile_builder  # type: ignore[method-assign]
