"""The server as a process of its own, which can be killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.integration.server.conftest import ready
from weir.server.settings import Settings


class Process:
    """A running `weir-server`."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text()

    async def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        await self._process.wait()

    async def terminate(self) -> int:
        """End it as the kubelet does; return its exit code."""
        self._process.send_signal(signal.SIGTERM)
        return await self._process.wait()

    async def ended(self) -> int:
        """Wait until it ends by itself; return its exit code."""
        return await self._process.wait()

    def resident_bytes(self) -> int:
        pages = Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


@asynccontextmanager
async def running(
    settings: Settings,
    kubeconfig: Path,
    log: Path,
    *,
    fault: str = "",
    mark: Path | None = None,
    until_ready: bool = True,
) -> AsyncIterator[Process]:
    """Run `weir-server`, or the one with a fault."""
    environment = {
        **os.environ,
        "KUBECONFIG": str(kubeconfig),
        "WEIR_NAMESPACE": settings.namespace,
        "WEIR_WATCH_NAMESPACES": ",".join(settings.watch_namespaces),
        "WEIR_DATABASE_URL": settings.database_url,
        "WEIR_HOST": settings.host,
        "WEIR_PORT": str(settings.port),
        "WEIR_HEALTH_PORT": str(settings.health_port),
        "FAULT": fault,
        "FAULT_MARK": str(mark),
    }
    module = "tests.integration.server.faulty" if fault else "weir.server"
    with log.open("a") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, env=environment, stderr=output, stdout=output
        )
    try:
        if until_ready:
            await ready(f"http://127.0.0.1:{settings.health_port}")
        yield Process(process, log)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
