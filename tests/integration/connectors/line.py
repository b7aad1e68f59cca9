"""A line to a server that can be cut, or go silent."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from types import TracebackType


class Line:
    """Passes on connections to a port of this machine, the target. A context manager."""

    def __init__(self, target: int, port: int = 0) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._silent = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._pass_on)

    def __enter__(self) -> Line:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._thread.join()
        self.cut()
        self._listener.close()

    def cut(self) -> None:
        """Cut all connections."""
        for one in list(self._pairs):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        if not self._thread.is_alive():
            for one in self._pairs:
                one.close()

    def go_silent(self) -> None:
        """Keep the connections, and pass on nothing any more."""
        self._silent.set()

    def _pass_on(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            while not self._closing.is_set():
                for key, _ in selector.select(0.05):
                    if key.fileobj is self._listener:
                        self._accept(selector)
                    elif not self._silent.is_set():
                        assert isinstance(key.fileobj, socket.socket)
                        self._copy(key.fileobj, selector)

    def _accept(self, selector: selectors.BaseSelector) -> None:
        near, _ = self._listener.accept()
        far = socket.create_connection(("127.0.0.1", self._target))
        for one, other in ((near, far), (far, near)):
            self._pairs[one] = other
            selector.register(one, selectors.EVENT_READ)

    def _copy(self, source: socket.socket, selector: selectors.BaseSelector) -> None:
        try:
            data = source.recv(65536)
            if data:
                self._pairs[source].sendall(data)
                return
        except OSError:
            pass
        selector.unregister(source)
        with contextlib.suppress(OSError):
            self._pairs[source].shutdown(socket.SHUT_WR)
