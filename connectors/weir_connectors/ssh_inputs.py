"""The inputs of the SSH connection type.

The server imports this module, so it knows no protocol library.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal

from weir_connectors.inputs import Problem, about
from weir_connectors.ssh_keys import is_known_hosts, problems_with_key

INTERPRETER = "/usr/bin/env bash -e"
LONGEST_CONNECT_TIMEOUT = 600.0
LONGEST_SCRIPT_TIMEOUT = 7 * 24 * 3600.0
MOST_TRIES = 20
LONGEST_NAME = 253  # characters, of a file for scripts

_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}|[0-9A-Fa-f:.]+(?:%[A-Za-z0-9]+)?")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_COMMENT = re.compile(r"#[ \t]*OUTPUT_VAR\([ \t]*(?P<name>[^\s()]*)[ \t]*\)")
_SHELLS = frozenset({"sh", "bash", "dash", "ash", "ksh", "mksh", "zsh"})


@dataclass(frozen=True, kw_only=True)
class SshInputs:
    """What an SSH connection may be given.

    One difference from the interface that this follows: the host's key must be known, or
    `hostkey: false` says that it does not matter. Ours is `passphrase`.
    """

    hostname: str = field(
        metadata=about("Name or IP address of the host to log in to.", transport=True)
    )
    username: str = field(metadata=about("Who logs in.", transport=True))
    script: str = field(metadata=about("The script to run on the host."))
    hostkey: str | Literal[False] | None = field(
        default=None,
        metadata=about(
            "The host's public key: lines as in known_hosts, or `ssh-ed25519 AAAA…` alone."
            " False: do not check whom we talk to.",
            transport=True,
        ),
    )
    port: int = field(
        default=22,
        metadata=about(
            "Port of the SSH server.", transport=True, schema={"minimum": 1, "maximum": 65535}
        ),
    )
    password: str | None = field(default=None, metadata=about("Password of the user.", secret=True))
    key: str | None = field(
        default=None, metadata=about("Private key (PEM) of the user.", secret=True)
    )
    passphrase: str | None = field(
        default=None, metadata=about("Passphrase that opens the private key.", secret=True)
    )
    interpreter: str = field(
        default=INTERPRETER,
        metadata=about("Program that runs the script, with its arguments; the file comes last."),
    )
    use_shell: bool = field(
        default=False,
        metadata=about(
            "Type the script into the user's login shell on a terminal, instead of running it"
            " as a file: for hosts without a POSIX shell. The report is all that the terminal"
            " shows."
        ),
    )
    temp_path: str = field(
        default="/tmp",
        metadata=about("Folder of the host for the script's file, which is removed at the end."),
    )
    connect_timeout: float = field(
        default=30.0,
        metadata=about(
            "Seconds that one try to log in may take.",
            schema={"exclusiveMinimum": 0, "maximum": LONGEST_CONNECT_TIMEOUT},
        ),
    )
    connect_tries: int = field(
        default=3,
        metadata=about(
            "How many times to try, as long as the host cannot be reached.",
            schema={"minimum": 1, "maximum": MOST_TRIES},
        ),
    )
    script_timeout: float = field(
        default=60.0,
        metadata=about(
            "Seconds that the script may take; then it is stopped.",
            schema={"exclusiveMinimum": 0, "maximum": LONGEST_SCRIPT_TIMEOUT},
        ),
    )
    remove_cr: bool = field(
        default=True, metadata=about("Remove carriage returns from the report.")
    )
    remove_ansi_escapes: bool = field(
        default=True, metadata=about("Remove escape sequences of terminals from the report.")
    )
    output_vars: list[str] = field(
        default_factory=list,
        metadata=about(
            "Shell variables whose values at the script's end are returned, besides those that"
            " a comment `#OUTPUT_VAR(NAME)` names."
        ),
    )
    output_files: list[str] = field(
        default_factory=list,
        metadata=about("Files of the host that are returned when the script has succeeded."),
    )
    copy_files: list[str] = field(
        default_factory=list,
        metadata=about(
            "Files of the host that are kept as files for scripts, by their paths without the"
            " first slash, when the script has succeeded."
        ),
    )

    def repeatable(self) -> bool:
        """Never: nobody knows what a script has done before it was cut off."""
        return False

    @property
    def names(self) -> list[str]:
        """The shell variables to return, each once: `output_vars` and those of comments."""
        return list(dict.fromkeys([*self.output_vars, *commented(self.script)]))

    @property
    def files(self) -> list[str]:
        """The paths of `output_files` and `copy_files`, each once."""
        return list(dict.fromkeys([*self.output_files, *self.copy_files]))

    @property
    def words(self) -> list[str]:
        """The interpreter and its arguments."""
        return shlex.split(self.interpreter)

    def problems(self) -> Iterator[Problem]:
        """Say what annotations cannot: forms of values, and inputs that others make necessary."""
        yield from self._problems_with_login()
        yield from self._problems_with_times()
        yield from self._problems_with_script()

    def _problems_with_login(self) -> Iterator[Problem]:
        if not _HOST.fullmatch(self.hostname):
            yield Problem("hostname", "the name or IP address of a host, without user and port")
        if not 0 < self.port < 65536:
            yield Problem("port", "a port, 1 to 65535")
        for name in ("username", "password", "passphrase"):
            value = getattr(self, name)
            if value is not None and (not value or _UNPRINTABLE.search(value)):
                yield Problem(name, "a string that is not empty and has no line breaks")
        if self.key is None and self.password is None:
            yield Problem("key", "a private key, or a password, to log in by ssh", "missing")
        if self.key is not None:
            yield from problems_with_key("key", self.key, passphrase=self.passphrase is not None)
        if self.hostkey is None:
            expected = (
                "the host's known_hosts line, as ssh-keyscan prints it, or False for no check"
            )
            yield Problem("hostkey", expected, "missing")
        elif self.hostkey is not False and not is_known_hosts(self.hostkey):
            yield Problem("hostkey", "lines as in known_hosts (host, key type, key), or False")

    def _problems_with_times(self) -> Iterator[Problem]:
        longest = {
            "connect_timeout": LONGEST_CONNECT_TIMEOUT,
            "script_timeout": LONGEST_SCRIPT_TIMEOUT,
        }
        for name, most in longest.items():
            if not 0 < getattr(self, name) <= most:  # not-a-number fails this too
                yield Problem(name, f"seconds, more than 0 and at most {most:.0f}")
        if not 1 <= self.connect_tries <= MOST_TRIES:
            yield Problem("connect_tries", f"a number of tries, 1 to {MOST_TRIES}")

    def _problems_with_script(self) -> Iterator[Problem]:
        if not self.script.strip() or "\x00" in self.script:
            yield Problem("script", "a script that is not empty and has no zero bytes")
        if not self.temp_path.startswith("/") or _UNPRINTABLE.search(self.temp_path):
            yield Problem("temp_path", "an absolute path of a folder")
        for name in ("output_files", "copy_files"):
            if any(not path or _UNPRINTABLE.search(path) for path in getattr(self, name)):
                yield Problem(name, "paths, absolute or from the user's home")
        if any(not 0 < len(file_name(path)) <= LONGEST_NAME for path in self.copy_files):
            yield Problem("copy_files", f"paths of at most {LONGEST_NAME} characters")
        try:
            words = self.words
        except ValueError:
            words = []
        if not words or words[0].startswith("-") or _UNPRINTABLE.search(self.interpreter):
            yield Problem("interpreter", f"a program and its arguments, as {INTERPRETER}")
            return
        yield from self._problems_with_names(words)

    def _problems_with_names(self, words: list[str]) -> Iterator[Problem]:
        wrong = [name for name in self.names if not _NAME.fullmatch(name)]
        for name in ("output_vars", "script"):
            if any(one in wrong for one in _named_by(self, name)):
                yield Problem(name, "names of shell variables: letters, digits and _ only")
        if self.use_shell:
            for name in ("output_vars", "output_files", "copy_files"):
                if getattr(self, name):
                    yield Problem(name, "nothing where use_shell is set: a terminal returns none")
            if commented(self.script):
                yield Problem("script", "no #OUTPUT_VAR where use_shell is set")
        elif self.names and not _is_shell(words):
            expected = f"a shell ({', '.join(sorted(_SHELLS))}), since variables are to be returned"
            yield Problem("interpreter", expected)


def file_name(path: str) -> str:
    """Return how a file of the host is called among the files of scripts."""
    return path.lstrip("/")


def commented(script: str) -> list[str]:
    """Return the names in the comments `#OUTPUT_VAR(NAME)` of a script."""
    return [found["name"] for found in _COMMENT.finditer(script)]


def is_comment(line: str) -> bool:
    """Whether a line of a script is nothing but a comment `#OUTPUT_VAR(NAME)`."""
    return _COMMENT.fullmatch(line.strip()) is not None


def programs(words: list[str]) -> list[str]:
    """Return the programs of an interpreter's words: itself and, of `env`, what that starts."""
    named = words[:1]
    if PurePosixPath(words[0]).name == "env":
        started = (word for word in words[1:] if not word.startswith("-") and "=" not in word)
        named += [word for word in [next(started, None)] if word is not None]
    return named


def _is_shell(words: list[str]) -> bool:
    # Any of the words: `sudo -n bash` and `env LANG=C sh` run a shell as well.
    return any(PurePosixPath(word).name in _SHELLS for word in words)


def _named_by(inputs: SshInputs, field_name: str) -> list[str]:
    return inputs.output_vars if field_name == "output_vars" else commented(inputs.script)
