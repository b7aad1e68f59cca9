"""Reads what a host says about a script beside its report: its end, variables, and files."""

from __future__ import annotations

from dataclasses import dataclass, field

# Bytes of variables and files together. With the report, and with the files in base64, the outputs
# of a connection stay below their 16 MiB.
MOST = 6 * 2**20

# Beside them there are greetings, the complaints of shells, and what names the contents.
LIMIT = MOST + 2**16


class TooMuch(Exception):
    """More was said than is taken."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said.

    `code` is the script's exit code, None if it did not end by itself or was not even begun;
    `missing` the number of the interpreter's program that is not there; `files` and `lost` go by
    numbers too. `noise` came before all else, from others.
    """

    begun: bool = False
    no_folder: bool = False
    missing: int | None = None
    code: int | None = None
    variables: dict[str, str] = field(default_factory=dict)
    files: dict[int, bytes] = field(default_factory=dict)
    lost: list[int] = field(default_factory=list)
    noise: bytes = b""


class Listener:
    """Collects what is said.

    A message is the mark, a blank, a word and its argument, and a newline; a content may follow,
    up to the next mark.
    """

    def __init__(self, mark: bytes) -> None:
        self._mark = mark
        self._heard = bytearray()
        self.done = False

    def feed(self, data: bytes) -> None:
        """Take what came from the host; raises TooMuch."""
        self._heard += data
        if len(self._heard) > LIMIT:
            raise TooMuch
        self.done = self._heard.endswith(self._mark + b" done\n")

    def answer(self) -> Answer:
        """Return what was said so far."""
        noise, *messages = bytes(self._heard).split(self._mark)
        said: dict[str, str] = {}
        variables: dict[str, str] = {}
        files: dict[int, bytes] = {}
        lost: list[int] = []
        for message in messages:
            head, _, content = message.partition(b"\n")
            word, _, argument = head.decode(errors="replace").strip().partition(" ")
            if word == "var":
                # Without the equals sign that says that it is set.
                variables[argument] = content[1:].decode(errors="replace")
            elif word == "file":
                files[int(argument)] = content
            elif word == "lost":
                lost.append(int(argument))
            else:
                said[word] = argument
        return Answer(
            begun="begin" in said,
            no_folder="folder" in said,
            missing=int(said["missing"]) if "missing" in said else None,
            code=int(said["end"]) if "end" in said else None,
            variables=variables,
            files=files,
            lost=lost,
            noise=noise,
        )
