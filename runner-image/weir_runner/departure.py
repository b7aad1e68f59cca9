"""Leaving the process: at once, without the script's `finally` blocks and without waiting for its
threads.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from weir_runner.transport import Refused, ServerLost


class Departure:
    """The ways out.

    Parameters:
        leave: Ends the process with an exit code.
    """

    def __init__(self, leave: Callable[[int], NoReturn] = os._exit) -> None:
        self.leave = leave

    def done(self) -> NoReturn:
        """Leave: the end of the run is known to the server, or not this Pod's to tell."""
        for stream in (sys.__stdout__, sys.__stderr__):
            if stream is not None:
                with suppress(OSError, ValueError):  # a script may have closed it
                    stream.flush()
        self.leave(0)

    def consider(self, refusal: Refused) -> None:
        """Leave if the refusal says that the server will not listen to this attempt any more."""
        self.say(f"the server refused: {refusal}")
        if refusal.ends_runner:
            self.done()

    def hibernate(self) -> NoReturn:
        """Leave: the run waits without a Pod from now on, and goes on in another."""
        self.say("the run gives this Pod back while it waits")
        self.done()

    def without_server(self, error: ServerLost) -> NoReturn:
        """Leave as a lost Pod, which is started again elsewhere."""
        # Here and not above: the first request is sent before the protocol's module is imported.
        from weir_protocol import EXIT_SERVER_LOST

        self.say(str(error))
        self.leave(EXIT_SERVER_LOST)

    def say(self, text: str) -> None:
        """Write a line to the Pod's own log, for whoever looks for what became of it."""
        with suppress(OSError):  # a script may have closed it
            os.write(2, f"weir: {text}\n".encode("utf-8", "replace"))
