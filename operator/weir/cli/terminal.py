"""Where output goes: whether it may have colours and symbols, how wide it is; and text made safe
for it.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

_RESET = "\x1b[0m"
_CODES = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36", "dim": "2"}

# All control characters but tab and line break: a script's text must not steer the terminal of who
# reads it. Whole escape sequences go at once, so that no "[31m" is left over.
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)


@dataclass(frozen=True)
class Terminal:
    """How text may look."""

    colours: bool = False
    symbols: bool = True  # whether characters beyond ASCII can be shown
    width: int | None = None  # columns; None where nobody looks
    height: int = 24  # lines

    @classmethod
    def of(cls, stream: TextIO, environment: Mapping[str, str] = os.environ) -> Terminal:
        """Return what the stream can show. Colours only on a terminal and without NO_COLOR."""
        live = stream.isatty()
        encoding = (getattr(stream, "encoding", None) or "ascii").lower()
        plain = bool(environment.get("NO_COLOR")) or environment.get("TERM") == "dumb"
        size = shutil.get_terminal_size()
        return cls(
            colours=live and not plain,
            symbols=encoding.startswith("utf"),
            width=size.columns if live else None,
            height=size.lines,
        )

    def paint(self, text: str, colour: str | None) -> str:
        """Return the text in a colour, where there are colours."""
        if not (self.colours and colour and text):
            return text
        return f"\x1b[{_CODES[colour]}m{text}{_RESET}"


def safe(text: str) -> str:
    """Return text from outside without what would steer a terminal."""
    return _ESCAPES.sub("", text)


def one_line(text: str) -> str:
    """Return text from outside on one line."""
    return " ".join(safe(text).split())


def width_of(text: str) -> int:
    """Return how many columns the text takes; wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.combining(letter)
        else 2
        if unicodedata.east_asian_width(letter) in "WF"
        else 1
        for letter in text
    )


def cut(text: str, columns: int) -> str:
    """Return the text, shortened to so many columns."""
    if width_of(text) <= columns:
        return text
    kept, used = "", 0
    for letter in text:
        used += width_of(letter)
        if used > columns - 1:
            break
        kept += letter
    return kept + "…"


def pad(text: str, columns: int) -> str:
    """Return the text with blanks up to so many columns."""
    return text + " " * max(columns - width_of(text), 0)


def say(text: str) -> None:
    """Tell people something that is no result: to standard error."""
    print(text, file=sys.stderr, flush=True)
