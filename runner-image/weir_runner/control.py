"""Learns from the server that the run is to stop, while the script does something else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from weir_protocol import Ask, Control, decode
from weir_runner.transport import Refused, ServerLost

if TYPE_CHECKING:
    from weir_runner.departure import Departure
    from weir_runner.transport import Transport

# Most runs are over sooner, and need no second connection.
START_AFTER = 1.0

# A server that answers its long poll at once is asked again no sooner than this.
PAUSE = 1.0

# How often a main thread that could not be interrupted is asked again.
INSIST = 0.05


class Watch:
    """The second thread of a run.

    Parameters:
        connect: Opens connections of its own.
        attempt: Who is asking.
        departure: Ends the process when the run is no longer this Pod's.
        interrupt: Asks the main thread to stop; returns whether it has been told. None: it looks by
            itself.
        start_also: Starts what else a longer run needs.
    """

    def __init__(
        self,
        connect: Callable[[], Transport],
        attempt: Ask,
        departure: Departure,
        interrupt: Callable[[], bool] | None,
        start_also: Callable[[], None],
    ) -> None:
        self._connect = connect
        self._attempt = attempt
        self._departure = departure
        self._interrupt = interrupt
        self._start_also = start_also
        self._ended = threading.Event()
        self.stop: Literal["Cancelled", "TimedOut"] | None = None

    def start(self) -> None:
        """Start the thread."""
        threading.Thread(target=self.run, name="weir-watch", daemon=True).start()

    def end(self) -> None:
        """Let the thread end: the run has."""
        self._ended.set()

    def wait(self, seconds: float) -> bool:
        """Pass seconds; return True as soon as the run has ended."""
        return self._ended.wait(seconds)

    def run(self) -> None:
        """Ask until the run has ended or is to stop."""
        if self.wait(START_AFTER):
            return
        self._start_also()
        transport = self._connect()
        while self.stop is None:
            try:
                news = decode(Control, transport.post("control", self._attempt) or {})
            except Refused as refusal:
                self._departure.consider(refusal)
                news = Control()
            except ServerLost as error:
                self._departure.without_server(error)
            if news.stop == "Gone":
                self._departure.say("the run was taken from this Pod")
                self._departure.done()
            self.stop = news.stop
            if self.stop is None and self.wait(PAUSE):
                return
        if self._interrupt is not None:
            while not self._interrupt() and not self.wait(INSIST):
                pass
