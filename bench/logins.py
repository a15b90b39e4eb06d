"""Log many browsers in at once; run as a process of its own, so that the load's clock is not held up.

Usage: python -m bench.logins PORT COUNT; prints the seconds each log-in took, as JSON.
"""

import json
import sys
import threading
import time
from urllib.error import HTTPError

from bench.room import log_in

MOST_TRIES = 20


def main(port: int, count: int) -> None:
    """Start all at the same moment."""
    taken: list[float] = []
    gate = threading.Barrier(count)

    def one() -> None:
        gate.wait()
        start = time.perf_counter()
        _log_in_as_a_person(port)
        taken.append(time.perf_counter() - start)

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(taken))


def _log_in_as_a_person(port: int) -> None:
    """Come back when the room says that too many are logging in at once, as it asks one to."""
    for _ in range(MOST_TRIES):
        try:
            log_in(port)
        except HTTPError as error:
            if error.code != 503:
                raise
            time.sleep(float(error.headers.get("Retry-After", 1)))
        else:
            return
    raise RuntimeError("the room was always too busy to log in")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
