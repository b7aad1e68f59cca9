"""Blocking calls beside the event loop."""

import asyncio
import threading

import pytest

from weir.threads import in_thread


async def test_a_call_returns_its_result_from_another_thread() -> None:
    assert await in_thread(threading.get_ident, name="test") != threading.get_ident()


async def test_an_error_of_the_call_is_raised() -> None:
    def fail() -> None:
        raise LookupError("no")

    with pytest.raises(LookupError, match="no"):
        await in_thread(fail, name="test")


async def test_whoever_is_cancelled_does_not_wait_for_a_call_that_hangs() -> None:
    release, begun = threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        release.wait()

    waiting = asyncio.create_task(in_thread(hang, name="test"))
    while not begun.is_set():
        await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    [thread] = [one for one in threading.enumerate() if one.name == "test"]
    assert thread.daemon, "the process may end without it"
    release.set()
    thread.join(10)
