"""One process of the room, behind a proxy of its own, as its clients see it."""

import asyncio
import sys
import time
from pathlib import Path

import httpx

from tests.faults.process import Process
from tests.faults.proxy import Proxy
from tests.faults.replica import environment
from tests.ports import Port
from tests.waiting import PATIENCE_SECONDS

SECRET_KEY = "faults" * 8
LIMITS = (
    "POST_LIMIT_ACCOUNT",
    "POST_LIMIT_ADDRESS",
    "LOGIN_LIMIT_ACCOUNT",
    "LOGIN_LIMIT_ADDRESS",
    "MAX_CONNECTIONS_PER_USER",
    "MAX_CONNECTIONS_PER_ADDRESS",
    "MAX_HTTP_CONNECTIONS_PER_ADDRESS",
    "MAX_HELD_BYTES_PER_ADDRESS",
)


class App:
    """An app process. Clients reach it through `proxy`; `url` is the way past it, for those who watch."""

    def __init__(self, number: int, folder: Path, uri: str, database: str, mutation: str = "") -> None:
        self.number = number
        self._port = Port()
        self.url = f"http://127.0.0.1:{self._port.number}"
        self.proxy = Proxy(self._port.number)
        self.clock = folder / f"clock{number}"
        self.disturbed_at = 0.0
        """When the harness last killed, froze, started or thawed it: who was waiting then has a reason."""
        self.stops: list[tuple[int | None, float]] = []
        """How each SIGTERM ended: the exit code, and after how many seconds."""
        self._is_leaving = False
        self.set_clock(0)
        command = [sys.executable, "-m", "tests.faults.launcher", "--clock", str(self.clock)]
        if mutation:
            command += ["--mutation", mutation]
        settings = {
            "MONGO_URI": uri,
            "MONGO_DB": database,
            "SECRET_KEY": SECRET_KEY,
            "PORT": str(self._port.number),
            "LOG_LEVEL": "WARNING",
            **dict.fromkeys(LIMITS, "0"),
        }
        self.process = Process(f"app{number}", command, folder / f"app{number}.out", environment() | settings)

    @property
    def is_serving(self) -> bool:
        """Whether it runs and was left alone."""
        return self.process.is_running and not self.process.is_frozen and not self._is_leaving

    def start(self) -> None:
        """Start it."""
        self.disturbed_at = time.monotonic()
        self.process.start()

    def kill(self) -> None:
        """SIGKILL."""
        self.disturbed_at = time.monotonic()
        self.process.kill()

    def freeze(self) -> None:
        """SIGSTOP."""
        self.disturbed_at = time.monotonic()
        self.process.freeze()

    def thaw(self) -> None:
        """SIGCONT."""
        self.disturbed_at = time.monotonic()
        self.process.thaw()

    async def stop(self, seconds: float = 20.0) -> None:
        """SIGTERM, as a deployment does; SIGKILL when that takes too long."""
        began = self.disturbed_at = time.monotonic()
        self._is_leaving = True
        self.process.terminate()
        while self.process.is_running and time.monotonic() < began + seconds:  # noqa: ASYNC110  it cannot say so itself
            await asyncio.sleep(0.05)
        self.process.kill()
        self._is_leaving = False
        self.stops.append((self.process.exit_code, round(time.monotonic() - began, 1)))

    def set_clock(self, seconds: int) -> None:
        """Move its wall clock to so many seconds from the true time."""
        self.clock.write_text(f"{seconds:>20}")

    async def close(self) -> None:
        """Kill it if it still runs, and give everything back."""
        self.process.close()
        await self.proxy.stop()
        self._port.release()

    async def wait_until_alive(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until it answers at all."""
        deadline = time.monotonic() + seconds
        async with httpx.AsyncClient(trust_env=False) as client:
            while True:
                try:
                    await client.get(f"{self.url}/livez", timeout=2)
                    return
                except httpx.HTTPError:
                    if time.monotonic() > deadline or not self.process.is_running:
                        raise TimeoutError(f"{self.process.name} does not start") from None
                    await asyncio.sleep(0.05)
