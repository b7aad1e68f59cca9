"""Waiting for a cluster to get somewhere, and saying why it did not."""

import socket
import time
from collections.abc import Callable, Iterable

from tests.cluster.errors import ClusterError
from tests.cluster.processes import Processes, Program

POLL = 0.05


def wait_until(
    is_so: Callable[[], bool],
    what: str,
    timeout: float,
    processes: Processes,
    needed: Iterable[Program] = (),
) -> None:
    """Wait until it is so; raise with the end of a log when a needed program ends, or at last."""
    needed = tuple(needed)
    deadline = time.monotonic() + timeout
    while not is_so():
        for program in needed:
            if processes.find(program.name) is None:
                raise ClusterError(
                    f"{program.name} ended while waiting for {what}; {_log_of(program)}"
                )
        if time.monotonic() > deadline:
            logs = "\n".join(_log_of(program) for program in needed)
            raise ClusterError(f"waited {timeout:.0f} s in vain for {what}\n{logs}")
        time.sleep(POLL)


def listens(port: int) -> bool:
    """Tell whether somebody accepts connections at the port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def is_free(port: int, timeout: float) -> bool:
    """Tell whether nobody accepts connections at the port of this machine, at last."""
    deadline = time.monotonic() + timeout
    while listens(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL)
    return True


def _log_of(program: Program) -> str:
    return f"the end of {program.log}:\n{program.log_tail()}"
