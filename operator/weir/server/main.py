"""`weir-server`: starts the parts in order, and stops them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import sys
from collections.abc import Coroutine
from typing import Any

import uvloop
from starlette.applications import Starlette

from weir import logs, memory
from weir.cluster.client import Cluster
from weir.server import health, serving
from weir.server.files_rest import FilesRest
from weir.server.messages_rest import MessagesRest
from weir.server.messages_settling import Settling
from weir.server.repositories.commits import Commits
from weir.server.repositories.notices import Notices
from weir.server.rest import Rest
from weir.server.retention import Retention
from weir.server.routes import RunnerApi
from weir.server.runtime import Runtime
from weir.server.settings import Settings
from weir.server.tls import Certificates
from weir.server.waking import Waking
from weir.server.watches import Watches
from weir.server.webhooks.openapi import OpenApi
from weir.server.webhooks.routes import Hooks
from weir.server.webhooks.status import HookStatuses
from weir.storage.database import Database
from weir.storage.errors import StorageError

logger = logging.getLogger(__name__)

_RETRY_SECONDS = 2.0


class Program:
    """The server's process."""

    def __init__(self, settings: Settings, cluster: Cluster) -> None:
        self._settings = settings
        self._cluster = cluster
        self._database = Database(settings.database_url)
        self._watches = Watches(cluster, settings.watch_namespaces)
        self._certificates = Certificates(cluster, settings.namespace, settings.tls_secret)
        self.runtime: Runtime | None = None
        self.waking: Waking | None = None
        self._serves = False
        self._server: serving.Server | None = None
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Begin to stop; `run` returns soon after."""
        self._stop.set()
        if self.runtime is not None:
            self.runtime.stop()

    async def run(self) -> None:
        """Serve until stopped. What is not there yet is waited for, and said by /readyz."""
        checks = serving.make(
            health.application(self._unready, lambda: self.runtime),
            host=self._settings.host,
            port=self._settings.health_port,
        )
        background = [
            asyncio.create_task(work)
            for work in (checks.serve(), self._watches.run(), self._certificates.follow())
        ]
        try:
            await self._unless_stopped(self._serve(), background)
        finally:
            checks.should_exit = True
            await asyncio.wait(background[:1], timeout=5)
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)
            await self._database.close()

    async def _serve(self) -> None:
        await self._started_database()
        runtime = Runtime(self._settings, self._cluster, self._database, self._watches)
        self.runtime = runtime
        await self._watches.synced.wait()
        await self._certificates.ready.wait()
        runner_api = RunnerApi(runtime)
        self.waking = runner_api.waking
        settling = Settling(runtime)
        hooks = Hooks(runtime)
        statuses = HookStatuses(runtime, hooks.last_calls)
        app = Starlette(
            routes=[
                *runner_api.routes(),
                *Rest(runtime).routes(),
                *MessagesRest(runtime, settling).routes(),
                *FilesRest(runtime).routes(),
                *Notices(runtime).routes(),
                *Commits(runtime).routes(),
                *hooks.routes(),
                *OpenApi(runtime).routes(),
            ]
        )
        server = serving.make(
            app,
            host=self._settings.host,
            port=self._settings.port,
            context=self._certificates.context,
        )
        upkeep = [
            asyncio.create_task(work)
            for work in (
                Retention(runtime).run(),
                settling.run(),
                runner_api.waking.run(),
                statuses.run(),
            )
        ]
        serving_task = asyncio.create_task(server.serve())
        _settle_memory()
        self._server = server
        self._serves = True
        logger.info("Serving", extra={"port": self._settings.port})
        try:
            stopped = asyncio.create_task(self._stop.wait())
            await asyncio.wait({serving_task, stopped}, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
        finally:
            self._serves = False
            runtime.stop()
            server.should_exit = True
            await serving_task
            for task in upkeep:
                task.cancel()
            await asyncio.gather(*upkeep, return_exceptions=True)
            await runner_api.presence.close()

    async def _started_database(self) -> None:
        while True:
            try:
                await self._database.start()
                return
            except StorageError as error:
                logger.error("Database not ready", extra={"error": str(error)[:300]})
                await asyncio.sleep(_RETRY_SECONDS)

    async def _unless_stopped(
        self, work: Coroutine[Any, Any, None], background: list[asyncio.Task[Any]]
    ) -> None:
        """Do `work` to its end, which a stop brings about; whatever fails in the background ends
        all.
        """
        main = asyncio.create_task(work)
        stopped = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({main, stopped, *background}, return_when=asyncio.FIRST_COMPLETED)
            if self._serves or main.done():
                self.stop()
                await main
            for task in background:
                if task.done():
                    task.result()
        finally:
            stopped.cancel()
            main.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await main

    def _unready(self) -> list[str]:
        missing = []
        if not self._database.identity:
            missing.append("the database")
        if not self._watches.synced.is_set():
            missing.append("the API server")
        if not self._certificates.ready.is_set():
            missing.append(f"the Secret {self._settings.tls_secret}")
        listens = self._server is not None and self._server.started
        if not missing and not (self._serves and listens):
            missing.append("its turn")
        return missing


def _settle_memory() -> None:
    memory.give_back()
    # What was loaded stays: no later collection needs to look at it.
    gc.freeze()


async def serve(settings: Settings) -> None:
    """Run the server until SIGTERM or SIGINT."""
    async with await Cluster.connect() as cluster:
        program = Program(settings, cluster)
        loop = asyncio.get_running_loop()
        for one in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(one, program.stop)
        await program.run()


def main() -> None:
    """Run `weir-server`."""
    settings = Settings()
    logs.configure(settings.log_level, settings.log_format)
    try:
        uvloop.run(serve(settings))
    except serving.CannotListen as error:
        logger.error(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
