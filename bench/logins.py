"""Log in many browsers at once, in a separate process, so that the load generator's clock is not delayed.

Usage: python -m bench.logins PORT COUNT. It prints the seconds of each log-in as JSON.
"""

import json
import sys
import threading
import time
from urllib.error import HTTPError

from bench.room import log_in

MOST_TRIES = 20


def main(port: int, count: int) -> None:
    """Start all log-ins at the same moment."""
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
    """Log in; when the server is busy, retry after the time that it states."""
    for _ in range(MOST_TRIES):
        try:
            log_in(port)
        except HTTPError as error:
            if error.code != 503:
                raise
            time.sleep(float(error.headers.get("Retry-After", 1)))
        else:
            return
    raise RuntimeError("the server was too busy at every attempt to log in")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
