import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from weir.controllers.queue import LookAgainQueue, Target

A, B, C = (Target("execution", "demo", name) for name in "abc")


class Looks:
    """A queue at work, and what it looked at."""

    def __init__(self, look: Callable[[Target], Awaitable[None]] | None = None, workers: int = 1):
        self.seen: list[Target] = []
        self.changed = asyncio.Event()
        self._look = look
        self.queue = LookAgainQueue(self._note, workers=workers)

    async def _note(self, target: Target) -> None:
        self.seen.append(target)
        self.changed.set()
        if self._look is not None:
            await self._look(target)

    async def until(self, count: int) -> list[Target]:
        """Wait until that many looks were taken."""
        async with asyncio.timeout(10):
            while len(self.seen) < count:
                self.changed.clear()
                await self.changed.wait()
        return self.seen


@contextlib.asynccontextmanager
async def working(looks: Looks) -> AsyncIterator[None]:
    task = asyncio.create_task(looks.queue.run())
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_what_is_asked_for_many_times_is_looked_at_once() -> None:
    looks = Looks()
    for _ in range(5):
        looks.queue.look_again(A)
    looks.queue.look_again(B)
    async with working(looks):
        assert await looks.until(2) == [A, B]

    assert looks.queue.looks == {A: 1, B: 1}
    assert looks.queue.total == 2


async def test_news_during_a_look_makes_another_and_never_two_at_once() -> None:
    gate, at_work = asyncio.Event(), 0

    async def look(target: Target) -> None:
        nonlocal at_work
        at_work += 1
        assert at_work == 1
        await gate.wait()
        at_work -= 1

    looks = Looks(look, workers=3)
    looks.queue.look_again(A)
    async with working(looks):
        await looks.until(1)
        looks.queue.look_again(A)
        looks.queue.look_again(A)
        assert len(looks.queue) == 1
        gate.set()
        assert await looks.until(2) == [A, A]


async def test_a_later_look_comes_later() -> None:
    looks = Looks()
    looks.queue.look_again(A, 0.02)
    looks.queue.look_again(B)
    async with working(looks):
        assert await looks.until(2) == [B, A]


async def test_of_several_delays_the_shortest_holds() -> None:
    looks = Looks()
    looks.queue.look_again(A, 60)
    looks.queue.look_again(A, 0.01)
    looks.queue.look_again(A, 90)
    async with working(looks):
        assert await looks.until(1) == [A]


async def test_a_shorter_delay_that_comes_while_it_waits_is_kept() -> None:
    looks = Looks()
    looks.queue.look_again(A, 60)
    async with working(looks):
        await asyncio.sleep(0)
        looks.queue.look_again(B, 0.01)
        assert await looks.until(1) == [B]


async def test_tidying_lets_everything_else_go_first() -> None:
    looks = Looks()
    looks.queue.look_again(A, tidying=True)
    looks.queue.look_again(B)
    looks.queue.look_again(C)
    async with working(looks):
        assert await looks.until(3) == [B, C, A]


async def test_a_failed_look_is_repeated_and_does_not_stop_others() -> None:
    failures = [ValueError("no"), None]

    async def look(target: Target) -> None:
        if target == A and (error := failures.pop(0)) is not None:
            raise error

    looks = Looks(look)
    looks.queue.look_again(A)
    looks.queue.look_again(B)
    async with working(looks):
        assert await looks.until(3) == [A, B, A]
    assert failures == []


async def test_what_is_gone_is_forgotten() -> None:
    looks = Looks()
    looks.queue.look_again(A, 0.01)
    looks.queue.look_again(B, 0.02)
    looks.queue.forget(A)
    async with working(looks):
        assert await looks.until(1) == [B]
    looks.queue.forget(B)

    assert looks.queue.looks == {}
