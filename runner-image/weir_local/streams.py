"""What scripts print: `sys.stdout` and `sys.stderr` lead to the log of whoever prints.

Each execution has a thread, so the thread tells them apart. A thread that a script started by
itself is known by the script's own lines on its stack. What nobody's script prints goes where it
went before.
"""

from __future__ import annotations

import sys
import threading
from types import ModuleType, TracebackType
from typing import Any

from weir_runner.capture import LogStreamWriter
from weir_runner.logbook import LogBook
from weir_runner.script import MODULE

_NAMES = ("stdout", "stderr")
_lock = threading.Lock()
_entered = 0
_by_thread: dict[int, Capture] = {}
_by_namespace: dict[int, Capture] = {}


class Capture:
    """Catches what one execution prints while it is entered, in the thread that enters it."""

    def __init__(self, book: LogBook, lock: Any) -> None:
        self.writers = {
            "stdout": LogStreamWriter(book, "stdout", lock, 1),
            "stderr": LogStreamWriter(book, "stderr", lock, 2),
        }
        self.module: ModuleType | None = None
        self._thread = 0

    def place(self, module: ModuleType) -> None:
        """Let the script's module be found by its name, in its own thread."""
        self.module = module
        _by_namespace[id(module.__dict__)] = self

    def __enter__(self) -> Capture:
        global _entered
        self._thread = threading.get_ident()
        with _lock:
            _by_thread[self._thread] = self
            _entered += 1
            _install()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        global _entered
        for writer in self.writers.values():
            writer.end_line()
        with _lock:
            _by_thread.pop(self._thread, None)
            if self.module is not None:
                _by_namespace.pop(id(self.module.__dict__), None)
            _entered -= 1
            if not _entered:
                _uninstall()


class _Stream:
    """Stands for the stream of whoever uses it."""

    def __init__(self, name: str, otherwise: Any) -> None:
        self._name = name
        self._otherwise = otherwise

    def __getattr__(self, attribute: str) -> Any:
        capture = _current()
        return getattr(capture.writers[self._name] if capture else self._otherwise, attribute)

    def __iter__(self) -> Any:
        return iter(self._otherwise)


class _Module(ModuleType):
    """Stands in `sys.modules` for the script of whoever looks it up."""

    def __getattr__(self, name: str) -> Any:
        return getattr(_module(), name)

    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        return vars(_module())


def _current() -> Capture | None:
    capture = _by_thread.get(threading.get_ident())
    if capture is not None or not _by_namespace:
        return capture
    frame = sys._getframe(1)
    while frame is not None:
        capture = _by_namespace.get(id(frame.f_globals))
        if capture is not None:
            return capture
        frame = frame.f_back  # type: ignore[assignment]
    return None


def _module() -> ModuleType:
    capture = _current()
    if capture is None or capture.module is None:
        raise AttributeError(f"no script runs in this thread, so there is no module {MODULE}")
    return capture.module


def _install() -> None:
    for name in _NAMES:
        stream = getattr(sys, name)
        # A test tool may have put its own stream in place while ours was there: it is gone then.
        if not isinstance(stream, _Stream):
            setattr(sys, name, _Stream(name, stream))
    if not isinstance(sys.modules.get(MODULE), _Module):
        sys.modules[MODULE] = _Module(MODULE)


def _uninstall() -> None:
    for name in _NAMES:
        stream = getattr(sys, name)
        if isinstance(stream, _Stream):
            setattr(sys, name, stream._otherwise)
    sys.modules.pop(MODULE, None)
