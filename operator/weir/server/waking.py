"""Goes on waiting for runs that have no Pod, and wakes them: what they wait for has come.

Of each such run a line is kept: by which topics it may be woken, and its deadline. All else is in
the journal. Several servers may wake the same run: its operation gets one result, and its status
moves once.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections import deque
from datetime import timedelta

from sqlalchemy.engine import Connection

from weir.api.execution import Execution
from weir.api.phases import DesiredState, Phase
from weir.cluster.errors import ClusterError
from weir.core import hibernation
from weir.core.moves import StatusChange
from weir.server.operations import Operations
from weir.server.refusals import Refused
from weir.server.runs import Run
from weir.server.runtime import Runtime
from weir.server.statuses import Statuses
from weir.storage import attempts, operations
from weir.storage.attempts import Attempt
from weir.storage.errors import Fenced, StorageError
from weir.storage.operations import Record

logger = logging.getLogger(__name__)

_WORKERS = 4
_RETRY = timedelta(seconds=5)
# Who stands before a run in the line for a lock may leave it without a word.
_LOCK_SECONDS = 10.0


class _Sleeper:
    """A run without a Pod. Told of a change, it has the run looked at."""

    __slots__ = ("_waking", "due", "topics", "uid")

    def __init__(self, waking: Waking, uid: str) -> None:
        self._waking = waking
        self.uid = uid
        self.topics: tuple[str, ...] = ()
        self.due: float | None = None  # Unix time

    def notify(self) -> None:
        """What the run waits for has changed."""
        self._waking.look_at(self.uid)


class Waking:
    """The runs without a Pod, and what may wake them. `run` never returns."""

    def __init__(self, runtime: Runtime, statuses: Statuses, operations: Operations) -> None:
        self._runtime = runtime
        self._statuses = statuses
        self._operations = operations
        self._sleepers: dict[str, _Sleeper] = {}
        self._deadlines: list[tuple[float, str]] = []  # a heap; what is outdated stays in it
        self._ready: deque[str] = deque()
        self._waiting: set[str] = set()  # in `_ready`
        self._busy: set[str] = set()
        self._again: set[str] = set()  # busy, and to be looked at once more
        self._work = asyncio.Semaphore(0)
        self._rescheduled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._sleepers)

    def __contains__(self, uid: str) -> bool:
        return uid in self._sleepers

    @property
    def is_idle(self) -> bool:
        """Whether nothing is to be looked at just now."""
        return not (self._waiting or self._busy)

    async def run(self) -> None:
        """Wake runs until cancelled."""
        executions = self._runtime.executions
        executions.on_news, executions.on_gone = self._see, self._forget
        for execution in executions:
            self._see(execution)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watch_deadlines())
                for _ in range(_WORKERS):
                    group.create_task(self._worker())
        finally:
            executions.on_news = executions.on_gone = None

    def look_at(self, uid: str) -> None:
        """Look whether what a run waits for has come."""
        if uid in self._busy:
            self._again.add(uid)
        elif uid not in self._waiting:
            self._waiting.add(uid)
            self._ready.append(uid)
            self._work.release()

    # Which runs there are

    def _see(self, execution: Execution) -> None:
        if not _sleeps(execution):
            self._forget(execution.uid)
        elif execution.uid not in self._sleepers:
            self._sleepers[execution.uid] = _Sleeper(self, execution.uid)
            self.look_at(execution.uid)

    def _forget(self, uid: str) -> None:
        sleeper = self._sleepers.pop(uid, None)
        if sleeper is not None:
            self._runtime.executions.topics.unsubscribe(sleeper, sleeper.topics)

    # Time

    async def _watch_deadlines(self) -> None:
        while True:
            now = self._runtime.timestamp()
            while self._deadlines and self._deadlines[0][0] <= now:
                due, uid = heapq.heappop(self._deadlines)
                sleeper = self._sleepers.get(uid)
                if sleeper is not None and sleeper.due == due:
                    sleeper.due = None
                    self.look_at(uid)
            self._rescheduled.clear()
            # Clocks may be set, so the next deadline is not waited for in one go.
            left = self._deadlines[0][0] - now if self._deadlines else self._runtime.poll_seconds
            try:
                async with asyncio.timeout(min(left, self._runtime.poll_seconds)):
                    await self._rescheduled.wait()
            except TimeoutError:
                pass

    def _call_at(self, sleeper: _Sleeper, due: float) -> None:
        if sleeper.due is None or due < sleeper.due:
            sleeper.due = due
            heapq.heappush(self._deadlines, (due, sleeper.uid))
            self._rescheduled.set()

    # Looks

    async def _worker(self) -> None:
        while True:
            await self._work.acquire()
            uid = self._ready.popleft()
            self._waiting.discard(uid)
            self._busy.add(uid)
            try:
                await self._look(uid)
            finally:
                self._busy.discard(uid)
                if uid in self._again:
                    self._again.discard(uid)
                    self.look_at(uid)

    async def _look(self, uid: str) -> None:
        try:
            await self._settle(uid)
        except (Refused, Fenced) as error:
            # It ended, or was taken up; or this server stops, and another one goes on.
            logger.debug("Run not woken", extra={"uid": uid, "why": str(error)[:300]})
        except (ClusterError, StorageError) as error:
            logger.warning("Run not woken yet", extra={"uid": uid, "error": str(error)[:300]})
            self._later(uid)
        except Exception:  # a bug at one run must not keep the others asleep
            logger.exception("Run not woken", extra={"uid": uid})
            self._later(uid)

    def _later(self, uid: str) -> None:
        sleeper = self._sleepers.get(uid)
        if sleeper is not None:
            self._call_at(sleeper, (self._runtime.now() + _RETRY).timestamp())

    async def _settle(self, uid: str) -> None:
        """Wake a run that has something to do; of any other, note what it waits for."""
        execution, sleeper = self._runtime.executions.get(uid), self._sleepers.get(uid)
        if execution is None or sleeper is None or not _sleeps(execution):
            return

        def read(sql: Connection) -> tuple[Attempt | None, Record | None]:
            attempt = attempts.find(sql, uid)
            number = attempt.try_number if attempt else 0
            return attempt, operations.pending(sql, uid, number)

        attempt, record = await self._runtime.database.read(read)
        if attempt is not None and record is not None and _is_open(record):
            run = Run(execution, attempt)
            self._listen(sleeper, self._operations.topics(run, record))
            if not await self._operations.settle(run, record):
                # Who holds a lock may have changed, and with it what is to be listened to.
                if self._listen(sleeper, self._operations.topics(run, record)):
                    self.look_at(uid)
                if record.deadline is not None:
                    self._call_at(sleeper, record.deadline)
                if record.kind == "acquire":
                    self._call_at(sleeper, self._runtime.timestamp() + _LOCK_SECONDS)
                return
        await self._wake(uid)

    def _listen(self, sleeper: _Sleeper, topics: list[str]) -> bool:
        """Have a run looked at when one of these topics fires; False: it is so already."""
        if sleeper.topics == tuple(topics) or self._sleepers.get(sleeper.uid) is not sleeper:
            return False
        known = self._runtime.executions.topics
        known.unsubscribe(sleeper, sleeper.topics)
        sleeper.topics = tuple(topics)
        known.subscribe(sleeper, sleeper.topics)
        return True

    async def _wake(self, uid: str) -> None:
        def change(execution: Execution) -> StatusChange | None:
            return hibernation.woken(execution, now=self._runtime.now())

        await self._statuses.change(uid, change)


def _sleeps(execution: Execution) -> bool:
    """Whether a run waits for something without a Pod, and is not to be stopped or paused."""
    return (
        execution.phase == Phase.WAITING
        and execution.is_hibernated
        and execution.spec.desired_state == DesiredState.RUNNING
    )


def _is_open(record: Record) -> bool:
    """Whether an operation can be waited for here: it has no result, and says what it asks for."""
    return record.result is None and record.arguments is not None
