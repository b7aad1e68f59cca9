"""Scripts on the real OpenSSH server, as a runner runs them; and what is left of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.integration.connectors.ssh_server import SshServer
from weir_connectors import registry
from weir_connectors.errors import ConnectionFailed

PATIENCE = 15.0


@dataclass
class Host:
    """The server, and inputs that open it. `folder` is where its scripts are put."""

    server: SshServer
    folder: Path
    _running: list[Running] = field(default_factory=list)

    @property
    def login(self) -> dict[str, Any]:
        return {
            "hostname": "127.0.0.1",
            "port": self.server.port,
            "username": self.server.user,
            "key": self.server.key,
            "hostkey": self.server.host_line,
            "temp_path": str(self.folder),
        }

    def run(
        self,
        script: str,
        save_file: Callable[[str, bytes], None] | None = None,
        **inputs: Any,
    ) -> dict[str, Any]:
        """Run a script to its end; return its outputs."""
        given = {**self.login, "script": script, **inputs}
        return registry.load("SSH").run(given, registry.Context(save_file=save_file))

    def fails(
        self,
        script: str = "true",
        save_file: Callable[[str, bytes], None] | None = None,
        **inputs: Any,
    ) -> ConnectionFailed:
        """Run a script that fails; return the failure."""
        try:
            outputs = self.run(script, save_file, **inputs)
        except ConnectionFailed as error:
            return error
        raise AssertionError(f"it did not fail: {outputs}")

    def start(self, script: str, **inputs: Any) -> Running:
        """Run a script in a thread."""
        self._running.append(Running({**self.login, "script": script, **inputs}))
        return self._running[-1]

    def close(self) -> None:
        """End what a test that failed has left."""
        for one in self._running:
            one.cancelled()

    @property
    def processes(self) -> list[str]:
        """The command lines of all that runs for whoever has logged in to this server."""
        mark = f" {self.server.port}\x00".encode()
        return [line for line, environment in processes() if mark in environment]

    @property
    def left(self) -> list[str]:
        """What still runs on the host, and what scripts have left in their folder."""
        return self.processes + [str(path) for path in self.folder.iterdir()]

    def is_left_clean(self, within: float = PATIENCE) -> None:
        """Wait until nothing runs on the host, and no file is left."""
        patience = time.monotonic() + within
        while self.left:
            assert time.monotonic() < patience, f"left on the host: {self.left}"
            time.sleep(0.02)


@dataclass
class Running:
    """A connection in a thread."""

    inputs: dict[str, Any]
    log: list[str] = field(default_factory=list)
    outputs: dict[str, Any] | None = None
    error: Exception | None = None

    def __post_init__(self) -> None:
        self._cancel = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        context = registry.Context(log=self.log.append, cancelled=self._cancel.is_set)
        try:
            self.outputs = registry.load("SSH").run(self.inputs, context)
        except Exception as error:
            self.error = error

    def says(self, line: str) -> None:
        """Wait until the line is in the log."""
        until(lambda: line in self.log or not self._thread.is_alive(), f"the line {line}")
        assert line in self.log, self.error

    def cancel(self) -> None:
        self._cancel.set()

    def end(self) -> Running:
        """Wait for its end."""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the connection does not end"
        return self

    def cancelled(self) -> Running:
        """Cancel it, and wait for its end."""
        self.cancel()
        return self.end()


def until(condition: Callable[[], bool], what: str, within: float = PATIENCE) -> None:
    """Wait until the condition holds."""
    patience = time.monotonic() + within
    while not condition():
        assert time.monotonic() < patience, f"waited in vain for {what}"
        time.sleep(0.02)


def processes() -> Iterator[tuple[str, bytes]]:
    """Yield command line and SSH_CONNECTION of all processes that live.

    The latter names the server's port, and ends with a zero byte.
    """
    for one in Path("/proc").glob("[0-9]*"):
        try:
            environment = (one / "environ").read_bytes()
            line = (one / "cmdline").read_bytes().replace(b"\x00", b" ").decode(errors="replace")
        except OSError:  # it has ended meanwhile, or is another user's
            continue
        _, found, value = environment.partition(b"SSH_CONNECTION=")
        if found:
            yield line, value[: value.index(b"\x00") + 1]
