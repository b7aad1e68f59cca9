"""The database: one thread that writes, a few that read, so that SQL never holds up the event loop.

Writes that are waiting when a transaction begins share it (a group commit): with synchronous=FULL
the disk is what takes time, and many runners may end at once.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from weir.storage import identity, migrating
from weir.storage.errors import StorageError, StorageUnavailable

logger = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[Connection], T]

# How many writes share a transaction at most: it bounds what is done again when one fails.
_MAX_GROUP = 64
_READERS = 4
# Another process may hold SQLite's write lock, for example a backup.
_BUSY_SECONDS = 10


class _Write(NamedTuple):
    work: Work[Any]
    future: Future[Any]


class Database:
    """SQLite or PostgreSQL, by URL. `start` before use; `close` after it."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._writer: Engine = _engine(self._url, writing=True)
        self._reader: Engine = _engine(self._url, writing=False)
        self._queue: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="weir-sql-read")
        self.identity = ""  # the database's UUID, once started
        self.commits = 0  # for metrics
        self.waited = 0.0  # seconds of all writes, for metrics
        self.writes = 0

    async def start(self) -> None:
        """Bring the tables up to date and begin to serve. Raises StorageUnavailable."""
        try:
            self.identity = await asyncio.to_thread(self._prepare)
        except SQLAlchemyError as error:
            raise _named(error) from error
        self._thread = threading.Thread(target=self._serve, name="weir-sql-write", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Finish what is queued, then close all connections."""
        if self._thread is not None:
            self._queue.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None
        await asyncio.to_thread(self._readers.shutdown)
        self._writer.dispose()
        self._reader.dispose()

    async def write(self, work: Work[T]) -> T:
        """Do `work` in a transaction and return its result once that is on disk.

        `work` may be done again when the transaction fails, so it only touches the database. What
        it raises undoes its own writes and is raised here. Raises StorageUnavailable.
        """
        future: Future[T] = Future()
        began = time.perf_counter()
        self._queue.put(_Write(work, future))
        try:
            return await asyncio.wrap_future(future)
        finally:
            self.waited += time.perf_counter() - began

    async def read(self, work: Work[T]) -> T:
        """Do `work`, which only reads, and return its result. Raises StorageUnavailable."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._read, work)

    def _prepare(self) -> str:
        migrating.upgrade(self._writer)
        with self._writer.begin() as connection:
            return identity.ensure(connection)

    def _read(self, work: Work[T]) -> T:
        try:
            with self._reader.begin() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise _named(error) from error

    def _serve(self) -> None:
        while True:
            group = self._next_group()
            if group is None:
                return
            if not self._commit(group) and len(group) > 1:
                # One of them broke the transaction for all: each gets its own.
                for write in group:
                    self._commit([write])

    def _next_group(self) -> list[_Write] | None:
        group: list[_Write] = []
        while len(group) < _MAX_GROUP:
            try:
                write = self._queue.get(block=not group)
            except queue.Empty:
                break
            if write is None:
                if group:
                    self._queue.put(None)
                    break
                return None
            # Whoever asked may have been cancelled meanwhile.
            if write.future.set_running_or_notify_cancel():
                group.append(write)
        return group

    def _commit(self, group: list[_Write]) -> bool:
        """Do the group in one transaction. False: nothing was done, and a single write failed."""
        results: list[tuple[Future[Any], Any, BaseException | None]] = []
        try:
            with self._writer.begin() as connection:
                for write in group:
                    try:
                        with connection.begin_nested():
                            results.append((write.future, write.work(connection), None))
                    except SQLAlchemyError:
                        raise
                    except Exception as error:
                        results.append((write.future, None, error))
        except SQLAlchemyError as error:
            if len(group) == 1:
                group[0].future.set_exception(_named(error))
            return False
        self.commits += 1
        self.writes += len(group)
        for future, result, failure in results:
            if failure is not None:
                future.set_exception(failure)
            else:
                future.set_result(result)
        return True


def _named(error: SQLAlchemyError) -> StorageError:
    if isinstance(error, DBAPIError) and not isinstance(
        error, sa.exc.IntegrityError | sa.exc.DataError | sa.exc.ProgrammingError
    ):
        return StorageUnavailable(f"the database does not answer: {str(error.orig)[:300]}")
    logger.error("Database refused", extra={"error": str(error)[:1000]})
    return StorageError(f"the database refused: {type(error).__name__}")


def _engine(url: URL, *, writing: bool) -> Engine:
    size = 1 if writing else _READERS
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url, pool_size=size, max_overflow=0, pool_pre_ping=True)
    engine = sa.create_engine(
        url,
        poolclass=sa.pool.QueuePool,
        pool_size=size,
        max_overflow=0,
        connect_args={"check_same_thread": False, "timeout": _BUSY_SECONDS},
    )

    @event.listens_for(engine, "connect")
    def _prepare_connection(connection: Any, _: object) -> None:
        # The driver begins transactions late and by itself, unless it is told not to.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA busy_timeout={_BUSY_SECONDS * 1000}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine
