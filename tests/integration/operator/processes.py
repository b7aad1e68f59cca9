"""The operator as a process of its own, to be stopped, killed and started again."""

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from tests.ports import free_port
from weir.controllers.main import run
from weir.controllers.settings import Settings

STOP_SECONDS = 15.0
START_SECONDS = 30.0


class Probed:
    """An operator's pages."""

    port: int

    async def status(self, path: str) -> int:
        """Return the HTTP status of one of its pages; 0 while it does not answer."""
        async with httpx.AsyncClient() as client:
            try:
                return (await client.get(f"http://127.0.0.1:{self.port}{path}")).status_code
            except httpx.TransportError:
                return 0

    async def metrics(self) -> dict[str, float]:
        """Return what it measures, by name and labels."""
        async with httpx.AsyncClient() as client:
            text = (await client.get(f"http://127.0.0.1:{self.port}/metrics")).text
        pairs = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}


class OperatorThread(Probed):
    """The operator within the test's own process: it starts at once, and cannot be killed.

    It has a thread and an event loop of its own: Kopf ends every task of its loop with itself.
    """

    def __init__(self, settings: Settings, kubeconfig: Path) -> None:
        self.port = settings.health_port
        self._settings = settings
        self._kubeconfig = kubeconfig
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    async def __aenter__(self) -> Self:
        self._thread.start()
        async with asyncio.timeout(START_SECONDS):
            while await self.status("/readyz") != 200:
                assert self._thread.is_alive(), self._error
                await asyncio.sleep(0.02)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        await asyncio.to_thread(self._thread.join, STOP_SECONDS)
        assert not self._thread.is_alive(), "the operator does not end"
        assert self._error is None, self._error

    async def _run_to_the_end(self) -> None:
        await run(self._settings, self._stop, kubeconfig=self._kubeconfig)
        await asyncio.sleep(0.25)  # TLS connections take a moment to close

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._run_to_the_end())
        except BaseException as error:
            self._error = error


class OperatorProcess(Probed):
    """`weir-operator`, as it runs in its Pod."""

    def __init__(self, *, kubeconfig: Path, log: Path, identity: str = "one", **variables: str):
        self._log = log
        self.port = free_port()
        self._environment = {
            name: value for name, value in os.environ.items() if not name.startswith("WEIR_")
        } | {
            "KUBECONFIG": str(kubeconfig),
            "WEIR_SERVER_ADDRESS": "10.0.0.1:8443",
            "WEIR_LEASE_SECONDS": "3",
            "WEIR_LOG_FORMAT": "plain",
            "WEIR_IDENTITY": identity,
            "WEIR_HEALTH_PORT": str(self.port),
            **variables,
        }
        self._process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        if error is not None:
            print(self._log.read_text()[-8000:], file=sys.stderr)
        self.kill()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended by itself."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    async def start(self, *, wait: bool = True) -> None:
        """Start, and return when it is ready: it acts, or stands by."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", "from weir.controllers.main import main; main()"],
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        if wait:
            await self.ready()

    async def ready(self) -> None:
        """Return when it says that it is ready."""
        async with asyncio.timeout(START_SECONDS):
            while await self.status("/readyz") != 200:
                assert self._process is not None
                assert self._process.poll() is None, self._log.read_text()[-8000:]
                await asyncio.sleep(0.05)

    def kill(self) -> None:
        """End it without a warning."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> int:
        """Tell it to end, and return its exit code."""
        assert self._process is not None
        self._process.terminate()
        code = self._process.wait(STOP_SECONDS)
        self._process = None
        return code

    @property
    def memory(self) -> int:
        """Its resident memory in bytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
