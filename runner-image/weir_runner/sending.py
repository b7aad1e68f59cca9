"""Sends log lines while the script does other things than asking the server."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from weir_protocol import Ask, LogBatch
from weir_runner.departure import Departure
from weir_runner.transport import Refused, ServerLost

if TYPE_CHECKING:
    from weir_runner.logbook import LogBook
    from weir_runner.transport import Transport

# Batches go at most this often, unless so much waits that the script has to wait.
INTERVAL = 1.0


class LogSender:
    """Empties the log book, over a connection of its own.

    Parameters:
        book: The log book.
        transport: A connection that nobody else uses.
        attempt: Who is speaking.
        departure: Ends the process when the server will hear no more.
        wait: Passes seconds, or returns True when the run has ended meanwhile.
    """

    def __init__(
        self,
        book: LogBook,
        transport: Transport,
        attempt: Ask,
        departure: Departure,
        wait: Callable[[float], bool],
    ) -> None:
        self._book = book
        self._transport = transport
        self._attempt = attempt
        self._departure = departure
        self._wait = wait
        self._turn = threading.Lock()
        self._sending = 0  # the thread that sends just now
        self._closed = False

    def run(self) -> None:
        """Send what there is, once in an INTERVAL, until the run has ended."""
        while True:
            self._book.something.wait()
            if self._wait(INTERVAL):
                return
            self.send()

    def drain(self) -> None:
        """Send lines until the log book is no longer high; whoever logs too fast waits here."""
        # What is printed while lines are sent, as by a destructor, waits for the next time.
        if self._sending == threading.get_ident():
            return
        while self._book.is_high and not self._closed:
            self.send()

    def send(self) -> None:
        """Send one batch; nothing after `close()`."""
        with self._turn:
            if self._closed:
                return
            self._sending = threading.get_ident()
            try:
                self._send_batch()
            finally:
                self._sending = 0

    def close(self) -> None:
        """Wait for the batch that is being sent just now, and send no more."""
        with self._turn:
            self._closed = True

    def _send_batch(self) -> None:
        lines = self._book.take()
        if not lines:
            return
        batch = LogBatch(
            uid=self._attempt.uid,
            try_number=self._attempt.try_number,
            attempt=self._attempt.attempt,
            lines=lines,
        )
        try:
            self._transport.post("logs", batch)
        except Refused as refusal:
            # A batch that the server does not like is lost; the run goes on.
            self._departure.consider(refusal)
        except ServerLost as error:
            self._departure.without_server(error)
        except BaseException:
            self._book.put_back(lines)
            raise
