"""Where a run stands in its journal: what numbers its operations and keys its log lines.

Both count in program order, so that a resumed run, which does all again from the top, gives the
same numbers to the same things: the server then answers an operation from its record, and drops a
log line that it has.
"""

from __future__ import annotations

import threading

# More lines than a function that is called once may log: those after it are counted from here,
# whether it was called in this attempt or in an earlier one.
PASSED_OVER = 10_000_000


class Journal:
    """The counters of one run.

    Attributes:
        lock: Guards the counters and what must be consistent with them. Reentrant: a destructor
            that prints may run in the midst of a print.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._operation = 0
        self._line = 0
        self._line_before = 0  # of the operation before the last

    def next_operation(self) -> int:
        """Return the number of the next operation; the first is 1."""
        with self.lock:
            self._operation += 1
            self._line_before, self._line = self._line, 0
            return self._operation

    def take_back(self) -> None:
        """Leave the last operation's number to the next one: it was refused, and has no record.

        A number without a record would look like a lost one when the run is resumed.
        """
        with self.lock:
            self._operation -= 1
            self._line += self._line_before

    def pass_over_lines(self) -> None:
        """Give the lines that follow the same keys, whether or not others came before them."""
        with self.lock:
            self._line = PASSED_OVER

    def next_line(self) -> tuple[int, int]:
        """Return the key of the next log line: the last operation before it, and its index after
        that.
        """
        with self.lock:
            index = self._line
            self._line += 1
            return self._operation, index
