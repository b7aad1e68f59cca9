"""A queue of things to look at again: each at most once, by few workers, sooner or later.

What is being looked at is never looked at by a second worker: news that comes meanwhile makes it be
looked at once more. Who fails is asked again after a growing delay of its own.
"""

import asyncio
import contextlib
import heapq
import logging
import random
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from typing import Literal, NamedTuple

logger = logging.getLogger(__name__)

WORKERS = 24
_FIRST_DELAY, _MAX_DELAY = 0.2, 30.0


class Target(NamedTuple):
    """One object to look at."""

    kind: Literal["execution", "flow", "connector", "schedule", "repository"]
    namespace: str
    name: str


class LookAgainQueue:
    """The operator's work. Use from one event loop."""

    def __init__(
        self, look: Callable[[Target], Awaitable[None]], *, workers: int = WORKERS
    ) -> None:
        self._look = look
        self._workers = workers
        self._ready: deque[Target] = deque()
        self._tidying: deque[Target] = deque()  # after all that is ready
        self._waiting: set[Target] = set()  # in one of the two
        self._busy: set[Target] = set()
        self._again: set[Target] = set()  # busy, and to be looked at once more
        self._due: dict[Target, tuple[float, bool]] = {}
        self._schedule: list[tuple[float, Target]] = []
        self._failures: Counter[Target] = Counter()
        self._work = asyncio.Semaphore(0)
        self._rescheduled = asyncio.Event()
        self.looks: Counter[Target] = Counter()
        """How often each thing was looked at, until `forget`."""
        self.total = 0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._busy)

    def look_again(self, target: Target, delay: float = 0.0, *, tidying: bool = False) -> None:
        """Look at a thing now, or after `delay` seconds.

        Of several delays the shortest holds. What is `tidying` lets everything else go first.
        """
        if delay > 0:
            self._look_later(target, delay, tidying)
        elif target in self._busy:
            self._again.add(target)
        elif target not in self._waiting:
            self._waiting.add(target)
            (self._tidying if tidying else self._ready).append(target)
            self._work.release()

    def forget(self, target: Target) -> None:
        """Drop what is remembered of a thing that is gone."""
        self._due.pop(target, None)
        self._failures.pop(target, None)
        self.looks.pop(target, None)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._wake(), name="look-again timer")
            for number in range(self._workers):
                group.create_task(self._worker(), name=f"look-again worker {number}")

    def _look_later(self, target: Target, delay: float, tidying: bool) -> None:
        due = asyncio.get_running_loop().time() + delay
        before = self._due.get(target)
        if before is not None and before[0] <= due:
            return
        self._due[target] = (due, tidying)
        heapq.heappush(self._schedule, (due, target))
        self._rescheduled.set()

    async def _wake(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            while self._schedule and self._schedule[0][0] <= loop.time():
                due, target = heapq.heappop(self._schedule)
                wanted = self._due.get(target)
                if wanted is not None and wanted[0] == due:
                    del self._due[target]
                    self.look_again(target, tidying=wanted[1])
            self._rescheduled.clear()
            # Not wait_for: before Python 3.12 it may swallow a cancellation.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(self._schedule[0][0] if self._schedule else None):
                    await self._rescheduled.wait()

    async def _worker(self) -> None:
        while True:
            await self._work.acquire()
            target = (self._ready or self._tidying).popleft()
            self._waiting.discard(target)
            self._busy.add(target)
            try:
                await self._look_at(target)
            finally:
                self._busy.discard(target)
                if target in self._again:
                    self._again.discard(target)
                    self.look_again(target)

    async def _look_at(self, target: Target) -> None:
        self.looks[target] += 1
        self.total += 1
        try:
            await self._look(target)
        except Exception as error:  # a bug at one object must not stop the others
            self._failures[target] += 1
            delay = min(_FIRST_DELAY * 2 ** (self._failures[target] - 1), _MAX_DELAY)
            logger.warning(
                "Look failed",
                extra={"object": "/".join(target), "error": repr(error)[:300], "again_in": delay},
                exc_info=not getattr(error, "message", None),
            )
            self.look_again(target, delay * random.uniform(0.7, 1.0))
        else:
            self._failures.pop(target, None)
