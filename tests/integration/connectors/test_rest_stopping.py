"""A REST connection that hangs, in whatever it does, ends within a second of its cancellation."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.integration.connectors.rest_server import RestServer
from weir_connectors import registry
from weir_connectors.errors import ConnectionCancelled

SECRET = "s3cret-of-the-hanging-request"
LOGIN = {"username": "ada", "password": SECRET}


def seconds_to_stop(inputs: dict[str, Any], hangs: Callable[[], bool]) -> float:
    """Cancel a connection as soon as it hangs; return how long it took to end."""
    began: list[float] = []

    def cancelled() -> bool:
        if not began and hangs():
            began.append(time.monotonic())
        return bool(began)

    with pytest.raises(ConnectionCancelled, match="REST: given up, the run is to be cancelled"):
        registry.load("REST").run(inputs, registry.Context(cancelled=cancelled))
    return time.monotonic() - began[0]


@pytest.mark.parametrize("door", ["hanging", "endless"])
def test_an_answer_that_does_not_come(rest_server: RestServer, door: str) -> None:
    inputs = {"url": f"{rest_server.url}/{door}", **LOGIN}
    assert seconds_to_stop(inputs, rest_server.asked.is_set) < 1
    assert rest_server.left.wait(5), "the connection is still open"


def test_a_long_wait_for_the_next_try(rest_server: RestServer) -> None:
    inputs = {"url": f"{rest_server.url}/flaky?times=9&after=60"}
    assert seconds_to_stop(inputs, rest_server.asked.is_set) < 1
    assert len(rest_server.seen) == 1


@contextmanager
def listening(backlog: int) -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(backlog)
        yield listener


def test_a_tls_handshake_with_nobody() -> None:
    with listening(5) as listener:
        listener.setblocking(False)
        accepted: list[socket.socket] = []

        def is_connected() -> bool:
            try:
                accepted.append(listener.accept()[0])
            except BlockingIOError:
                return False
            return True

        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
        assert seconds_to_stop({"url": url}, is_connected) < 1
        with accepted[0] as there:
            there.settimeout(5)
            while there.recv(4096):  # its greeting, and then its end
                pass


def test_a_host_that_lets_nobody_in() -> None:
    with listening(0) as listener, socket.socket() as first:
        first.connect(listener.getsockname())  # the one place in the queue
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        assert seconds_to_stop({"url": url}, lambda: True) < 1


def test_a_name_that_is_looked_up_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, release = threading.Event(), threading.Event()

    def look_up(*_: object, **__: object) -> list[Any]:
        asked.set()
        release.wait()
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    try:
        assert seconds_to_stop({"url": "http://api.example.com/"}, asked.is_set) < 1
    finally:
        release.set()


def test_one_that_is_cancelled_before_it_began_sends_nothing_more(rest_server: RestServer) -> None:
    inputs = {"url": f"{rest_server.url}/hanging", "method": "post", "text": "x"}
    assert seconds_to_stop(inputs, lambda: True) < 1
