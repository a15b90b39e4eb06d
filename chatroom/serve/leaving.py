"""Shut down in the right order after a signal."""

import signal
import sys
import threading
from collections.abc import Callable

_NUMBERS = signal.SIGINT, signal.SIGTERM
_AGAIN_SECONDS = 0.01


class _Leaving(SystemExit):
    """A `SystemExit` that a signal raises in the main thread."""


def leave_on_signals(prepare: Callable[[], None] = lambda: None) -> None:
    """Turn the first signal into `SystemExit`, so that `finally` blocks run; ignore later signals.

    `prepare` is called before the exception is raised.
    """

    def leave(*_: object) -> None:
        prepare()
        _handle(signal.SIG_IGN)
        raise _Leaving(0)

    def raise_again(lost: "sys.UnraisableHookArgs") -> None:
        # The signal may arrive in a finalizer. Python only reports an exception from there: raise it again.
        if isinstance(lost.exc_value, _Leaving):
            _handle(leave)
            main = threading.main_thread().ident
            threading.Timer(_AGAIN_SECONDS, signal.pthread_kill, [main, signal.SIGTERM]).start()
        else:
            sys.__unraisablehook__(lost)

    sys.unraisablehook = raise_again
    _handle(leave)


def _handle(handler: "signal.Handlers | Callable[..., None]") -> None:
    for number in _NUMBERS:
        signal.signal(number, handler)
