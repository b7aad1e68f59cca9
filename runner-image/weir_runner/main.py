"""The life of a runner, from its first request to the last acknowledgement."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from weir_runner.departure import Departure
from weir_runner.https import HttpsConnection
from weir_runner.interrupts import Interrupts
from weir_runner.transport import HttpsTransport

# weir_protocol.Ask() as JSON text: the module itself is imported while the server answers.
FIRST_REQUEST = b'{"uid":"","try_number":0,"attempt":0}'

VARIABLES = ("WEIR_SERVER", "WEIR_SERVER_NAME", "WEIR_SERVER_CA", "WEIR_TOKEN_FILE")


def main() -> NoReturn:
    """Run until there is nothing left to do; leaves the process."""
    missing = [name for name in VARIABLES if not os.environ.get(name)]
    if missing:
        sys.exit(f"weir_runner runs in a Pod that Weir made; not set: {', '.join(missing)}")
    server, server_name, authorities, token_file = (os.environ[name] for name in VARIABLES)
    departure = Departure()
    interrupts = Interrupts(_cancelled, departure.leave)
    interrupts.install()
    transport = HttpsTransport(
        lambda: HttpsConnection(server, server_name, authorities), token_file
    )
    transport.begin("assignment", FIRST_REQUEST)
    from weir_runner import session

    assignment = session.ask_for_work(transport, departure)
    session.Run(assignment, transport, departure, interrupts).do()
    departure.done()


def _cancelled() -> BaseException:
    from flow_api import ExecutionCancel

    return ExecutionCancel("cancelled on request")
