"""Runs a program that may hang.

Whoever waits for it can give up at any moment, and then nothing of it is left.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# Seconds between two looks at whether to give up. The end of the program is seen at once.
TICK = 0.1

# Seconds for a program to tidy up after SIGTERM.
_GRACE = 2.0

# Bytes kept of each output unless more is asked for: the end is what counts.
_TAIL = 64 * 1024


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended, with the ends of its outputs."""

    code: int
    output: str
    errors: str


def run(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    check: Callable[[], None],
    keep: int = _TAIL,
) -> Finished:
    """Run a program to its end, without a terminal or input, in a process group of its own.

    Of each output the last `keep` bytes are returned.

    `check` is called every TICK seconds; an exception that it raises (or that a signal handler
    raises here) ends the program with all its children, and is passed on.

    Raises:
        FileNotFoundError: there is no such program.
    """
    # In a session of its own it has no terminal to ask for a password, and can be killed whole.
    with subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            output, errors = _read(process, check, keep)
            while True:
                try:
                    return Finished(process.wait(TICK), output, errors)
                except subprocess.TimeoutExpired:
                    check()
        finally:
            if process.returncode is None:
                _end(process)


def _read(
    process: subprocess.Popen[bytes], check: Callable[[], None], keep: int
) -> tuple[str, str]:
    """Read both outputs to their ends; return the tail of each."""
    assert process.stdout is not None
    assert process.stderr is not None
    tails = {process.stdout.fileno(): b"", process.stderr.fileno(): b""}
    with selectors.DefaultSelector() as selector:
        for descriptor in tails:
            selector.register(descriptor, selectors.EVENT_READ)
        next_check = time.monotonic() + TICK
        while selector.get_map():
            for key, _ in selector.select(TICK):
                chunk = os.read(key.fd, 65536)
                tails[key.fd] = (tails[key.fd] + chunk)[-keep:]
                if not chunk:
                    selector.unregister(key.fd)
            if time.monotonic() >= next_check:
                check()
                next_check = time.monotonic() + TICK
    output, errors = (tail.decode(errors="replace") for tail in tails.values())
    return output, errors


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        pass
    except ProcessLookupError:
        return
    with contextlib.suppress(ProcessLookupError):
        # Also when the program itself is gone: a child of it may have ignored SIGTERM.
        os.killpg(process.pid, signal.SIGKILL)
