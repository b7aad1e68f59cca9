"""What a script prints: `sys.stdout` and `sys.stderr` become lines of its log.

Only what goes through Python is caught. What a subprocess writes goes to the Pod's own log, as does
what a forked child prints.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import TYPE_CHECKING, Any, Literal

from weir_runner.logbook import MAX_LINE

if TYPE_CHECKING:
    from types import TracebackType

    from weir_runner.logbook import LogBook


class LogStreamWriter(io.TextIOBase):
    """A text stream that appends each line written to it to the log.

    Parameters:
        book: The log.
        stream: Which of the log's streams.
        lock: The log's lock.
        descriptor: The file descriptor that it replaces: subprocesses given this stream write
            there.
    """

    encoding = "utf-8"
    errors = "replace"
    newlines = None
    mode = "w"

    def __init__(
        self, book: LogBook, stream: Literal["stdout", "stderr"], lock: Any, descriptor: int
    ) -> None:
        super().__init__()
        self.name = f"<{stream}>"
        self.buffer = _ByteWriter(self)
        self._book = book
        self._stream: Literal["stdout", "stderr"] = stream
        self._lock = lock
        self._descriptor = descriptor
        self._begun: list[str] = []  # pieces of the line that has not ended yet
        self._begun_size = 0

    def write(self, text: str, /) -> int:
        """Append a text; what follows its last newline waits for the rest of its line."""
        if not isinstance(text, str):
            raise TypeError(f"write() takes a text, not {type(text).__name__}")
        # Piece by piece: the lines of a text of 100 MB, all at once, would take several times that.
        for start in range(0, len(text), MAX_LINE):
            if self._book.full:
                break
            self._write(text if len(text) <= MAX_LINE else text[start : start + MAX_LINE])
        return len(text)

    def _write(self, text: str) -> None:
        with self._lock:
            if "\n" not in text and self._begun_size + len(text) < MAX_LINE:
                self._begun.append(text)
                self._begun_size += len(text)
                return
            lines = "".join([*self._begun, text]).split("\n")
            rest = lines.pop()
            # Cut by content and not by time: a resumed run must cut where the first one did.
            lines = [piece for line in lines for piece in _pieces(line)]
            *whole, rest = _pieces(rest)
            self._begun = [rest] if rest else []
            self._begun_size = len(rest)
        self._book.add_lines(self._stream, [*lines, *whole])

    def end_line(self) -> None:
        """Log the line that was begun and not ended."""
        self.buffer.end()
        with self._lock:
            begun, self._begun, self._begun_size = self._begun, [], 0
        if begun:
            self._book.add_lines(self._stream, ["".join(begun)])

    def flush(self) -> None:
        """Do nothing: whole lines are logged at once and sent together with others."""

    def reconfigure(self, **_options: Any) -> None:
        """Do nothing: the log is UTF-8."""

    def close(self) -> None:
        """Do nothing: what is printed later is logged as well."""

    def writable(self) -> bool:
        """Return True."""
        return True

    def isatty(self) -> bool:
        """Return False."""
        return False

    def fileno(self) -> int:
        """Return the descriptor of the Pod's own stream."""
        return self._descriptor


class _ByteWriter(io.RawIOBase):
    """`sys.stdout.buffer`: bytes are taken for UTF-8."""

    def __init__(self, text: LogStreamWriter) -> None:
        super().__init__()
        self._text = text
        # Keeps the bytes of a character whose others come with the next write.
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def write(self, data: Any, /) -> int:
        taken = bytes(data)
        self._text.write(self._decoder.decode(taken))
        return len(taken)

    def end(self) -> None:
        self._text.write(self._decoder.decode(b"", final=True))

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._text.fileno()

    def close(self) -> None:
        pass


def _pieces(line: str) -> list[str]:
    if len(line) <= MAX_LINE:
        return [line]
    return [line[start : start + MAX_LINE] for start in range(0, len(line), MAX_LINE)]


class Capture:
    """Catches what is printed while it is entered."""

    def __init__(self, book: LogBook, lock: Any) -> None:
        self._book = book
        self._writers = (
            LogStreamWriter(book, "stdout", lock, 1),
            LogStreamWriter(book, "stderr", lock, 2),
        )
        self._replaced: tuple[Any, Any] | None = None

    def __enter__(self) -> Capture:
        global _active
        _active = self
        self._replaced = (sys.stdout, sys.stderr)
        sys.stdout, sys.stderr = self._writers
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        global _active
        for writer in self._writers:
            writer.end_line()
        _active = None
        self.release()

    def release(self) -> None:
        """Put the replaced streams back."""
        if self._replaced is not None:
            sys.stdout, sys.stderr = self._replaced
            self._replaced = None


_active: Capture | None = None


def _release_in_child() -> None:
    # 1. The log's lock may be held by a thread that a forked child does not have. 2. What the child
    # still writes to the streams as they were must not be sent over its parent's connection.
    if _active is not None:
        _active.release()
        _active._book.full = True


os.register_at_fork(after_in_child=_release_in_child)
