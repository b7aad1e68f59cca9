"""How a coroutine that may hang is run, and what is left of it when it is given up."""

from __future__ import annotations

import asyncio

import pytest

from weir_connectors import stopping
from weir_connectors.errors import ConnectionCancelled


class Signalled(BaseException):
    pass


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "TICK", 0.001)
    monkeypatch.setattr(stopping, "_GRACE", 0.01)


class Work:
    """Work that hangs, and remembers that it was closed."""

    def __init__(self) -> None:
        self.closed = False

    async def hang(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.closed = True

    async def stumble(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("in finally")


async def work() -> int:
    return 1


async def fail() -> int:
    raise ValueError("its own")


def test_work_that_ends_gives_its_result() -> None:
    assert stopping.run(work(), lambda: True, "TEST") == 1


def test_work_that_fails_raises_its_own_error() -> None:
    with pytest.raises(ValueError, match="its own"):
        stopping.run(fail(), lambda: False, "TEST")


@pytest.mark.parametrize("way", ["hang", "stumble"])
def test_work_that_is_given_up_is_closed(way: str) -> None:
    doing = Work()
    with pytest.raises(ConnectionCancelled, match="TEST: given up"):
        stopping.run(getattr(doing, way)(), lambda: True, "TEST")
    assert doing.closed or way == "stumble"


def test_an_exception_of_a_signal_handler_closes_it_too() -> None:
    def cancelled() -> bool:
        raise Signalled

    doing = Work()
    with pytest.raises(Signalled):
        stopping.run(doing.hang(), cancelled, "TEST")
    assert doing.closed
