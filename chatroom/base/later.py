"""A function whose implementation is created later."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def later(find: Callable[[], Callable[P, T]]) -> Callable[P, T]:
    """Return a function that calls `find` each time, and then calls the function that `find` returned."""

    def call(*arguments: P.args, **named: P.kwargs) -> T:
        return find()(*arguments, **named)

    return call
