"""The SSH connection type: runs a script on a host.

    this.connect(
        connector_type='SSH', hostname='host.example.com', hostkey='ssh-ed25519 AAAA…',
        username='weir', key=…, script='uptime',
    )

Outputs: `retcode`, the script's exit code; `report`, all that it printed; `var`, the values of the
shell variables that are to be returned, None where one was never set; with `output_files` also
`files`, a list of `{name, content}`, the content in base64. What `copy_files` names is kept as
files for scripts.

An exit code other than 0 fails the connection, which keeps its outputs. Where a connection
is cancelled, late or cut, its script is ended with all that it has started, but for what has left
its session. Its file is removed in any case.

What is needed on the host: a POSIX shell and its usual programs, unless `use_shell` is set.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from typing import Any

from weir_connectors.connector import ConnectorType, Context
from weir_connectors.errors import ConnectionFailed, InvalidInputError
from weir_connectors.inputs import marked, parse
from weir_connectors.ssh_answer import MOST, TooMuch
from weir_connectors.ssh_inputs import SshInputs, file_name, programs

try:
    from weir_connectors import ssh_login, ssh_session
except ImportError as error:
    _missing: ImportError | None = error
else:
    _missing = None

# Lines of the report in the message of a failure.
_LAST_LINES = 5

# Seconds for a farewell.
_CLOSING = 2.0


class SshConnector:
    """Runs SSH connections."""

    name = "SSH"
    Inputs: type[Any] = SshInputs
    transport_inputs = marked(SshInputs, "transport")

    def repeatable(self, inputs: dict[str, Any]) -> bool:
        """Never: nobody knows what a script has done before it was cut off."""
        return False

    def run(self, inputs: dict[str, Any], context: Context) -> dict[str, Any]:
        """Run the script, and return the outputs.

        Raises:
            InputError: the inputs do not fit; nothing was done.
            ConnectionFailed: unreachable, refused, cut, out of time, or the script failed; with
                the outputs that there are.
            ConnectionCancelled: the context said so.
        """
        return _run(parse(self.name, SshInputs, inputs), context)


CONNECTOR: ConnectorType = SshConnector()


def _run(inputs: SshInputs, context: Context) -> dict[str, Any]:
    if inputs.copy_files and context.save_file is None:
        raise InvalidInputError(
            "SSH: invalid input copy_files: expected none, there are no files here"
        )
    if _missing is not None:
        raise ConnectionFailed(
            f"SSH: this image lacks asyncssh; take Weir's runner image ({_missing})"
        )
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(_connect(inputs, context))
    finally:
        loop.run_until_complete(_end_tasks())
        loop.close()  # and does not wait for the look-up of a host's name, as asyncio.run would


async def _end_tasks() -> None:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


async def _connect(inputs: SshInputs, context: Context) -> dict[str, Any]:
    if inputs.hostkey is False:
        context.log("hostkey is False: nobody checks that this is the host it should be")
    connection = await ssh_login.log_in(inputs, context)
    try:
        if inputs.use_shell:
            ended = await ssh_session.type_in(connection, inputs, context)
        else:
            ended = await ssh_session.run(connection, inputs, secrets.token_hex(16), context)
    except TooMuch:
        said = (
            f"output_vars, output_files, copy_files: no more than {MOST // 2**20} MiB are taken;"
            " the script has ended"
        )
        raise ssh_login.failed(inputs, said) from None
    finally:
        connection.close()
        await asyncio.wait({asyncio.ensure_future(connection.wait_closed())}, timeout=_CLOSING)
    if ended.report.left_out:
        context.log(f"the report lacks {ended.report.left_out} bytes: the script printed too much")
    outputs = _outputs(inputs, ended)
    _save(inputs, ended, outputs, context)
    return outputs


def _outputs(inputs: SshInputs, ended: ssh_session.Ended) -> dict[str, Any]:
    """Return the outputs of a script that succeeded; raise what became of any other."""
    answer = ended.answer
    outputs: dict[str, Any] = {
        "retcode": answer.code,
        "report": ended.report.text,
        "var": {name: answer.variables.get(name) for name in inputs.names},
    }
    if inputs.output_files:
        outputs["files"] = [
            {"name": path, "content": base64.b64encode(answer.files[number]).decode()}
            for number, path in enumerate(inputs.files)
            if path in inputs.output_files and number in answer.files
        ]
    if ended.why == "cancelled":
        raise ssh_login.cancelled(outputs)
    if not answer.begun or answer.no_folder or answer.missing is not None:
        raise ssh_login.failed(inputs, _not_begun(inputs, ended))
    if ended.why == "late":
        outputs["retcode"] = None
        said = f"the script was not done after {inputs.script_timeout:g} s, and was stopped"
        raise ssh_login.failed(inputs, f"{said}{_unsure(ended)}; raise script_timeout", outputs)
    if ended.why == "cut" or answer.code is None:
        said = (
            f"the connection was cut while the script ran ({ended.words or 'without a word'});"
            " the host stops it as soon as it notices; how far it came, its report may tell"
        )
        raise ssh_login.failed(inputs, said, outputs)
    if answer.code != 0:
        said = f"the script ended with exit code {answer.code}"
        raise ssh_login.failed(inputs, f"{said}{_last_words(outputs['report'])}", outputs)
    if answer.lost:
        named = ", ".join(inputs.files[number] for number in answer.lost)
        said = f"the script has ended, but there is no file to be read at {named}"
        raise ssh_login.failed(inputs, f"{said}; see output_files and copy_files", outputs)
    return outputs


def _save(
    inputs: SshInputs, ended: ssh_session.Ended, outputs: dict[str, Any], context: Context
) -> None:
    """Keep the files of `copy_files` for scripts."""
    for number, path in enumerate(inputs.files):
        if path in inputs.copy_files and context.save_file is not None:
            try:
                context.save_file(file_name(path), ended.answer.files[number])
            except ConnectionFailed as error:
                said = f"the script has ended, but copy_files failed: {error}"
                raise ssh_login.failed(inputs, said, outputs) from error


def _not_begun(inputs: SshInputs, ended: ssh_session.Ended) -> str:
    answer = ended.answer
    if answer.missing is not None:
        name = programs(inputs.words)[answer.missing]
        return f"the host has no {name}; install it, or give another interpreter"
    if answer.no_folder:
        return f"the script cannot be written to {inputs.temp_path}; give another temp_path"
    noise = (ended.report.noise + answer.noise).decode(errors="replace")
    words = " | ".join(noise.split("\n")).strip(" |") or ended.words
    said = f" ({words})" if words else ""
    return f"the host starts no POSIX shell for this user{said}; is use_shell what it wants?"


def _unsure(ended: ssh_session.Ended) -> str:
    return "" if ended.confirmed else " (the host did not confirm that: look there)"


def _last_words(report: str) -> str:
    lines = [line.strip() for line in report.splitlines() if line.strip()]
    return f": {' | '.join(lines[-_LAST_LINES:])}" if lines else ", and printed nothing"
