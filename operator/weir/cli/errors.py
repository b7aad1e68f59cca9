"""What the command ends with: exit codes, and errors that are one line for people."""

import sys
from enum import IntEnum
from pathlib import Path


class ExitCode(IntEnum):
    """How the command ended; documented in docs/cli.md."""

    SUCCEEDED = 0
    FAILED = 1  # the run that was waited for Failed
    USAGE = 2  # the call itself is to be mended: option, name, input
    CANCELLED = 3  # the run that was waited for was Cancelled
    UNABLE = 4  # cluster or server refused, or cannot be reached
    INTERRUPTED = 130  # Ctrl-C; the run goes on


def program() -> str:
    """Return what the command was called by."""
    return "kubectl weir" if Path(sys.argv[0]).name.startswith("kubectl-") else "weir"


class CliError(Exception):
    """Ends the command with one line: what, where, what to do."""

    def __init__(self, message: str, code: ExitCode = ExitCode.USAGE) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class Interrupted(Exception):
    """Ctrl-C while something was followed; `message` says what goes on and how to end it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
