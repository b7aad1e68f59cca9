"""The log of a run on its way to the server: lines that wait to be sent, within limits."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flow_api._values import printable
from weir_protocol import LogLine, LogStream

if TYPE_CHECKING:
    from weir_runner.journal import Journal

# What a line costs besides its text, in memory here and in a database there: a million empty lines
# are not nothing.
LINE_COST = 32

# One entry. A line of output that is longer is cut into lines; an entry of another kind loses its
# middle.
MAX_LINE = 64 * 1024

# Whoever logs faster than the server takes waits from here on.
HIGH_WATER = 1024 * 1024

# The text of one request.
BATCH = 256 * 1024


class LogBook:
    """Log lines in the order of their keys.

    Parameters:
        journal: Gives the keys.
        limit: Bytes of text, with LINE_COST for each line, that one try may log. One more line says
            that it was reached. Tracebacks and what the runner itself has to say are kept all the
            same.
        scrub: Takes secrets out of a text.
        clock: Unix time.
    """

    def __init__(
        self,
        journal: Journal,
        limit: int,
        *,
        scrub: Callable[[str], str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._journal = journal
        self._limit = limit
        self._left = limit
        self._scrub = scrub
        self._clock = clock
        self._waiting: deque[tuple[int, LogLine]] = deque()
        self._waiting_bytes = 0
        self.full = False
        self.something = threading.Event()
        self.drain: Callable[[], None] | None = None

    @property
    def is_high(self) -> bool:
        """Whether so much waits that whoever logs is to wait too."""
        return self._waiting_bytes > HIGH_WATER

    def add(self, stream: LogStream, text: str, data: dict[str, Any] | None = None) -> None:
        """Append an entry."""
        if self.full and stream not in ("traceback", "system"):
            return
        self._append(stream, text, data)
        self.ease()

    def add_lines(self, stream: LogStream, lines: Iterable[str]) -> None:
        """Append lines of output."""
        for line in lines:
            if self.full:
                return
            self._append(stream, line, None)
            # Within the loop: one text of 100 MB may hold a million lines.
            self.ease()

    def ease(self) -> None:
        """Let the caller wait while too much waits to be sent."""
        if self._waiting_bytes > HIGH_WATER and self.drain is not None:
            self.drain()

    def take(self, size: int = BATCH) -> list[LogLine]:
        """Return the lines that are to be sent next, about `size` bytes of them, at least one if
        any waits.
        """
        taken: list[LogLine] = []
        with self._journal.lock:
            while self._waiting and size > 0:
                cost, line = self._waiting.popleft()
                self._waiting_bytes -= cost
                size -= cost
                taken.append(line)
            if not self._waiting:
                self.something.clear()
        return taken

    def put_back(self, lines: list[LogLine]) -> None:
        """Take back lines whose sending was broken off. Sent twice they count once."""
        with self._journal.lock:
            for line in reversed(lines):
                cost = _cost(line.text, line.data)
                self._waiting.appendleft((cost, line))
                self._waiting_bytes += cost
            if lines:
                self.something.set()

    def _append(self, stream: LogStream, text: str, data: dict[str, Any] | None) -> None:
        text = printable(text)
        if self._scrub is not None:
            text = self._scrub(text)
        if len(text) > MAX_LINE:
            text = _without_middle(text)
        cost = _cost(text, data)
        with self._journal.lock:
            if stream not in ("traceback", "system"):
                if self.full:
                    return
                if cost > self._left:
                    self.full = True
                    stream, data = "system", None
                    text = (
                        f"The log has reached its limit of {self._limit} bytes: "
                        "what follows is not kept."
                    )
                    cost = _cost(text, data)
                else:
                    self._left -= cost
            after, index = self._journal.next_line()
            line = LogLine(
                after=after, index=index, time=self._clock(), stream=stream, text=text, data=data
            )
            self._waiting.append((cost, line))
            self._waiting_bytes += cost
            if len(self._waiting) == 1:
                self.something.set()


def _cost(text: str, data: dict[str, Any] | None) -> int:
    size = len(text) if text.isascii() else len(text.encode())
    return size + LINE_COST + (len(json.dumps(data)) if data else 0)


def _without_middle(text: str) -> str:
    half = MAX_LINE // 2 - 64
    return f"{text[:half]}\n… {len(text) - 2 * half} characters are left out …\n{text[-half:]}"
