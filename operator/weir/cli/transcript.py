"""How log entries are printed: who, when, what. Text of scripts is made safe for the terminal."""

from __future__ import annotations

import json
from datetime import datetime, tzinfo

from weir.cli.server import Entry
from weir.cli.terminal import Terminal, safe
from weir.cli.times import clock

_COLOURS = {"stderr": "yellow", "traceback": "red", "system": "dim"}


def render(
    entry: Entry,
    *,
    now: datetime,
    terminal: Terminal,
    timestamps: bool = False,
    who: str = "",
    zone: tzinfo | None = None,
) -> str:
    """Return an entry as one or more lines, each behind the same stamp, name and later try."""
    text = safe(entry.text).rstrip("\n")
    if entry.data:
        shown = json.dumps(entry.data, ensure_ascii=False)
        text = f"{text} {safe(shown)}" if text else safe(shown)
    before = ""
    if timestamps:
        before += f"{clock(entry.time, now, zone)}  "
    if who:
        before += f"{who}  "
    if entry.try_number > 1:
        before += f"try {entry.try_number}  "
    colour = _COLOURS.get(entry.stream)
    lines = text.split("\n")
    return "\n".join(terminal.paint(before, "dim") + terminal.paint(one, colour) for one in lines)
