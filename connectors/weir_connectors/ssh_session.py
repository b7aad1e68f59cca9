"""Follows a script on a host to its end, or ends it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import asyncssh

from weir_connectors import ssh_script
from weir_connectors.connector import Context
from weir_connectors.ssh_answer import Answer, Listener
from weir_connectors.ssh_inputs import SshInputs
from weir_connectors.ssh_login import TICK, failed
from weir_connectors.ssh_report import Report

# Seconds that a host has for ending a script: it takes up to four by itself.
PATIENCE = 10.0

# Seconds for variables and files, after the script has ended.
DELIVERY = 60.0

Why = Literal["done", "cancelled", "late", "cut"]


@dataclass(frozen=True, slots=True)
class Ended:
    """How the script ended.

    `why`: by itself, on request, out of time, or for want of a connection. `confirmed`: the host
    said that it did. `words`: what is known of a cut.
    """

    why: Why
    confirmed: bool
    answer: Answer
    report: Report
    words: str = ""


async def run(
    connection: asyncssh.SSHClientConnection, inputs: SshInputs, token: str, context: Context
) -> Ended:
    """Run the script as a file of its own; raises TooMuch."""
    mark = ssh_script.mark(token)
    report, listener = _report(mark, inputs, context), Listener(mark)
    process = await _opened(connection, inputs, command=ssh_script.COMMAND)
    process.stdin.write(ssh_script.program(inputs, token).encode())
    followed = _Following(
        process,
        report,
        listener.feed,
        is_over=lambda: listener.done and report.ended,
        stop=process.stdin.write_eof,
    )
    why, confirmed, words = await followed.to_the_end(inputs, context)
    report.close()
    return Ended(why, confirmed, listener.answer(), report, words)


async def type_in(
    connection: asyncssh.SSHClientConnection, inputs: SshInputs, context: Context
) -> Ended:
    """Type the script into the user's shell, on a terminal without echo."""
    report = _report(b"", inputs, context)
    process = await _opened(
        connection,
        inputs,
        term_type="dumb",
        term_size=(200, 50),
        term_modes={asyncssh.PTY_ECHO: 0},
    )
    process.stdin.write(inputs.script.rstrip("\n").encode() + b"\nexit\n")
    followed = _Following(
        process, report, report.feed, is_over=lambda: False, stop=process.channel.close
    )
    why, confirmed, words = await followed.to_the_end(inputs, context)
    report.close()
    if why == "done":  # the exit code may come after the end of the output
        await asyncio.wait({asyncio.ensure_future(process.wait_closed())}, timeout=PATIENCE)
    code = process.exit_status
    if why == "done" and code is None:
        why, words = "cut", "the shell ended without an exit code"
    return Ended(why, confirmed, Answer(begun=True, code=code), report, words)


async def _opened(
    connection: asyncssh.SSHClientConnection, inputs: SshInputs, **options: Any
) -> asyncssh.SSHClientProcess[bytes]:
    try:
        return await connection.create_process(encoding=None, **options)
    except (asyncssh.Error, OSError) as error:
        reason = getattr(error, "reason", "") or str(error)
        what = "terminal" if inputs.use_shell else "session"
        said = f"the host lets the user in, and gives no {what} ({reason}); see its sshd_config"
        raise failed(inputs, f"{said}, and the user's authorized_keys") from error


def _report(mark: bytes, inputs: SshInputs, context: Context) -> Report:
    return Report(
        mark,
        context.log,
        remove_cr=inputs.remove_cr,
        remove_ansi_escapes=inputs.remove_ansi_escapes,
    )


class _Following:
    """Reads what comes from a process.

    Parameters:
        process: The process, just begun.
        report: Takes its output.
        errors: Takes what it writes as errors.
        is_over: Whether all that counts has come, although the process may still hold its output.
        stop: Asks the host to end it.
    """

    def __init__(
        self,
        process: asyncssh.SSHClientProcess[bytes],
        report: Report,
        errors: Callable[[bytes], None],
        is_over: Callable[[], bool],
        stop: Callable[[], Any],
    ) -> None:
        self._process = process
        self._report = report
        self._errors = errors
        self._is_over = is_over
        self._stop = stop

    async def to_the_end(self, inputs: SshInputs, context: Context) -> tuple[Why, bool, str]:
        """Return why it ended, whether the host confirms it, and what is known of a cut."""
        over = asyncio.get_running_loop().create_future()
        readers = asyncio.ensure_future(self._read_both(over))
        why: Why = "done"
        limit = time.monotonic() + inputs.script_timeout
        try:
            while not (await asyncio.wait({readers, over}, timeout=TICK, return_when=_FIRST))[0]:
                if why == "done":
                    why = self._reason_to_stop(limit, context)
                    if why != "done":
                        limit = time.monotonic() + PATIENCE
                        self._stop()
                elif time.monotonic() >= limit:
                    return why, False, ""
            if readers.done():
                readers.result()
            return why, True, ""
        except (asyncssh.Error, OSError) as error:
            words = getattr(error, "reason", "") or str(error) or type(error).__name__
            return ("cut" if why == "done" else why), False, words
        finally:
            readers.cancel()
            await asyncio.wait({readers})

    def _reason_to_stop(self, limit: float, context: Context) -> Why:
        if context.cancelled():
            return "cancelled"
        late = limit + (DELIVERY if self._report.ended else 0)
        return "late" if time.monotonic() >= late else "done"

    async def _read_both(self, over: asyncio.Future[None]) -> None:
        await asyncio.gather(
            self._read(self._process.stdout, self._report.feed, over),
            self._read(self._process.stderr, self._errors, over),
        )

    async def _read(
        self, stream: Any, feed: Callable[[bytes], None], over: asyncio.Future[None]
    ) -> None:
        while data := await stream.read(65536):
            feed(data)
            if self._is_over() and not over.done():
                over.set_result(None)


_FIRST = asyncio.FIRST_COMPLETED
