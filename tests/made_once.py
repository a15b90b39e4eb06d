"""Share compiled templates and URL maps between all applications of a test run.

Making them took more than half of the time of a page's test.
"""

import copy
from types import CodeType
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Map, Rule, RuleFactory


class Compiled(BytecodeCache):
    """A cache of compiled templates in memory, by name and source."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code
        self._kept[bucket.key, bucket.checksum] = bucket.code


_compiled = Compiled()
_maps: dict[Any, Map] = {}


def share_templates(app: Flask) -> Flask:
    """Let an application use templates that another application has compiled."""
    app.jinja_env.bytecode_cache = _compiled
    return app


class SharedMap(Map):
    """A URL map that takes its compiled rules from the first map with the same rules."""

    def __init__(self, *, host_matching: bool = False) -> None:
        self._added: list[Rule] = []
        super().__init__(host_matching=host_matching)

    def add(self, rulefactory: RuleFactory) -> None:
        self._added += rulefactory.get_rules(self)
        self._remap = True

    def update(self) -> None:
        if not self._remap:
            return
        key = self.host_matching, *map(_identity, self._added)
        if key not in _maps:
            made = Map(map(copy.copy, self._added), host_matching=self.host_matching)
            made.update()
            _maps[key] = made
        self._matcher, self._rules_by_endpoint = _maps[key]._matcher, _maps[key]._rules_by_endpoint
        self._remap = False


def _identity(rule: Rule) -> tuple[Any, ...]:
    """Everything that Flask gives to a rule."""
    of_flask = rule.methods and frozenset(rule.methods), getattr(rule, "provide_automatic_options", None)
    return rule.rule, rule.endpoint, repr(rule.defaults), rule.subdomain, rule.host, of_flask


def share_maps() -> None:
    """Let all applications share URL maps."""
    Flask.url_map_class = SharedMap
