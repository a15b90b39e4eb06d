"""Share compiled templates and URL rules between all applications of a test run.

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


def share_rules() -> None:
    """Let equal rules of several applications share what werkzeug compiles from them."""
    compile_rule: Callable[[Rule], None] = Rule.compile
    kept: dict[Any, Any] = {}

    def compile_once(rule: Rule) -> None:
        if rule.defaults or rule.host or rule.subdomain:  # they are made a part of it
            compile_rule(rule)
            return
        key = rule.rule, rule.merge_slashes, frozenset(rule.arguments)
        if key not in kept:
            compile_rule(rule)
            builders = [getattr(builder, "__func__", builder) for builder in (rule._build, rule._build_unknown)]
            kept[key] = rule._parts, rule._trace, rule._converters, frozenset(rule.arguments), *builders
        rule._parts, rule._trace, rule._converters, arguments, build, build_unknown = kept[key]
        rule.arguments = set(arguments)
        rule._build, rule._build_unknown = build.__get__(rule), build_unknown.__get__(rule)

    Rule.compile = compile_once  # type: ignore[method-assign]
