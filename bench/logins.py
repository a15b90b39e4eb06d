"""Log many browsers in at once; run as a process of its own, so that the load's clock is not held up.

Usage: python -m bench.logins PORT COUNT; prints the seconds each log-in took, as JSON.
"""

import json
import sys
import threading
import time

from bench.room import log_in


def main(port: int, count: int) -> None:
    """Start all at the same moment."""
    taken: list[float] = []
    gate = threading.Barrier(count)

    def one() -> None:
        gate.wait()
        start = time.perf_counter()
        log_in(port)
        taken.append(time.perf_counter() - start)

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(taken))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
