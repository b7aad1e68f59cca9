"""The report of a script: what it printed, and the same as lines of the log while it runs."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

# Bytes kept of what a script prints: enough of its beginning to see what it did, and more of its
# end, where programs say why they gave up.
HEAD = 2**20
TAIL = 3 * 2**20

# Bytes that go into the log.
LOG = 2**20

# A line without an end is logged in pieces of this many characters.
_LONGEST_LINE = 16 * 1024

# What comes before the report, such as the words of a shell that lets nobody in.
_NOISE = 4096

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours, movements
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # titles, links
    r"|\x1b[PX^_][^\x1b]*\x1b\\"
    r"|\x1b[ -/]*[0-~]"
)


class Report:
    """What a script prints, kept in bounds.

    Parameters:
        mark: Stands before and after the report in what comes from the host. Empty: all is report.
        log: Takes a line of the report.
        remove_cr: Drop carriage returns.
        remove_ansi_escapes: Drop escape sequences of terminals.
    """

    def __init__(
        self,
        mark: bytes,
        log: Callable[[str], None],
        *,
        remove_cr: bool = True,
        remove_ansi_escapes: bool = True,
    ) -> None:
        # The word that follows a mark is not for us.
        self._mark = mark and mark + b"\n"
        self._pending = b""
        self._begun = not mark
        self.ended = False
        self._clean = _Cleaning(remove_cr, remove_ansi_escapes)
        self._log = _Lines(log, self._clean)
        self._head = bytearray()
        self._tail = bytearray()
        self._dropped = 0

    def feed(self, data: bytes) -> None:
        """Take what came from the host."""
        self._pending += data
        while self._mark and not self.ended:
            before, found, after = self._pending.partition(self._mark)
            if not found:
                break
            if self._begun:
                self._take(before)
                self.ended = True
            self._begun = True
            self._pending = after
        if self.ended:
            self._pending = b""
            return
        if not self._begun:
            self._pending = self._pending[-_NOISE:]
            return
        held = _beginning_at_end(self._pending, self._mark)
        self._take(self._pending[: len(self._pending) - held])
        self._pending = self._pending[len(self._pending) - held :]

    def close(self) -> None:
        """Log what has no line end: nothing more will come."""
        self._log.close()

    @property
    def noise(self) -> bytes:
        """What came instead of a report."""
        return b"" if self._begun else self._pending

    def _take(self, data: bytes) -> None:
        self._log.feed(data)
        room = HEAD - len(self._head)
        self._head += data[:room]
        self._tail += data[room:] if room > 0 else data
        if len(self._tail) > 2 * TAIL:  # seldom, since what is kept is copied
            self._shorten()

    def _shorten(self) -> None:
        extra = max(0, len(self._tail) - TAIL)
        self._dropped += extra
        del self._tail[:extra]

    @property
    def text(self) -> str:
        """The report, with a line in place of what was too much."""
        self._shorten()
        parts = [self._head.decode(errors="replace")]
        if self._dropped:
            parts.append(f"\n[… {self._dropped} bytes are left out here …]\n")
            parts.append(self._tail.decode(errors="replace"))
        else:
            parts = [(self._head + self._tail).decode(errors="replace")]
        return self._clean.text("".join(parts))

    @property
    def left_out(self) -> int:
        """How many bytes the report lacks."""
        return self._dropped + max(0, len(self._tail) - TAIL)


class _Cleaning:
    """Takes out what only a terminal understands."""

    def __init__(self, remove_cr: bool, remove_ansi_escapes: bool) -> None:
        self._remove_cr = remove_cr
        self._remove_ansi_escapes = remove_ansi_escapes

    def text(self, text: str) -> str:
        if self._remove_ansi_escapes:
            text = _ESCAPES.sub("", text)
        return text.replace("\r", "") if self._remove_cr else text


class _Lines:
    """Logs whole lines, up to a limit."""

    def __init__(self, log: Callable[[str], None], clean: _Cleaning) -> None:
        self._log = log
        self._clean = clean
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._begun = ""
        self._room = LOG

    def feed(self, data: bytes) -> None:
        if self._room <= 0:
            return
        *lines, self._begun = (self._begun + self._decoder.decode(data)).split("\n")
        for line in lines:
            self._say(line)
        while len(self._begun) > _LONGEST_LINE:
            self._say(self._begun[:_LONGEST_LINE])
            self._begun = self._begun[_LONGEST_LINE:]

    def close(self) -> None:
        if self._begun:
            self._say(self._begun)
            self._begun = ""

    def _say(self, line: str) -> None:
        if self._room <= 0:
            return
        self._room -= len(line) + 1
        self._log(self._clean.text(line))
        if self._room <= 0:
            self._log(
                f"the script prints more than {LOG // 2**20} MiB: what follows is not logged;"
                " the output report has it"
            )


def _beginning_at_end(data: bytes, mark: bytes) -> int:
    """Return how many bytes at the end of the data may be the beginning of the mark."""
    for length in range(min(len(data), len(mark) - 1), 0, -1):
        if data.endswith(mark[:length]):
            return length
    return 0
