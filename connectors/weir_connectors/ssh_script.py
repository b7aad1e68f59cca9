"""What is sent to a host, so that a script runs there, and ends when it is to end.

The text is read by a POSIX shell from its standard input: nothing of it is seen in the host's list
of processes. Its last part is ssh_host.sh; before it stand the values of one connection, and the
script itself. It is one compound command, so the shell has read all of it before it begins.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from weir_connectors.ssh_answer import LIMIT
from weir_connectors.ssh_inputs import SshInputs, is_comment, programs

# Whatever shell the user has: its own syntax matters no further than here.
COMMAND = "exec /bin/sh"


# Seconds after which the host stops the script by itself, should it hear nothing from us.
LENIENCY = 30.0

_HOST = Path(__file__).with_name("ssh_host.sh")


def mark(token: str) -> bytes:
    """Return what stands before all that is said about a script, and around its report."""
    return b"\x1e" + token.encode()


def program(inputs: SshInputs, token: str) -> str:
    """Return the text.

    Parameters:
        inputs: What is to be run, and how.
        token: Letters and digits that stand nowhere else: marks what is said about the script.
    """
    folder = f"{inputs.temp_path.rstrip('/')}/weir-{token}"
    names = inputs.names
    lines = [
        f"weir_token={token}",
        f"weir_dir={shlex.quote(folder)}",
        f"weir_names={shlex.quote(' '.join(names))}",
        f"weir_most={LIMIT + 1}",  # so that too much is noticed
        f"weir_seconds={int(inputs.script_timeout + LENIENCY) + 1}",
        _function("script", token, prepared(inputs.script, names, folder)),
        _function("record", token, _record(names, folder)),
        "files() {\n:",
        *(f"give {number} {shlex.quote(path)}" for number, path in enumerate(inputs.files)),
        "}",
        *(
            f"command -v {shlex.quote(name)} >/dev/null 2>&1"
            f" || {{ printf '\\036%s missing %s\\n' {token} {number} >&2; exit 0; }}"
            for number, name in enumerate(programs(inputs.words))
        ),
        f"set -- {shlex.join(inputs.words)}",
    ]
    body = "\n".join(lines)
    return f"{{\n{body}\n{_HOST.read_text()}}}\n"


def prepared(script: str, names: list[str], folder: str) -> str:
    """Return the script, made to record its variables: by each comment, and when it ends.

    Its lines keep their numbers.
    """
    if not names:
        return script
    record = f". {shlex.quote(f'{folder}/record')}"
    lines = [record if is_comment(line) else line for line in script.split("\n")]
    return f"trap {shlex.quote(record)} EXIT; " + "\n".join(lines)


def _record(names: list[str], folder: str) -> str:
    """Return shell commands that write down those of the variables that are set.

    An equals sign comes first: an empty value is one too.
    """
    return "\n".join(
        f'if [ "${{{name}+set}}" ]; then'
        f" printf '=%s' \"${name}\" >{shlex.quote(f'{folder}/var.{name}')}; fi"
        for name in names
    )


def _function(name: str, token: str, text: str) -> str:
    """Return a shell function that prints the text, exactly but for a newline at its end."""
    # In quotes: nothing in the text means anything to the shell.
    end = "" if text.endswith("\n") else "\n"
    return f"{name}() {{ cat <<'{token}'\n{text}{end}{token}\n}}"
