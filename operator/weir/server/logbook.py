"""Log lines on their way into the database."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy.engine import Connection

from weir.storage import logs
from weir.storage.attempts import Attempt
from weir.storage.logs import Line
from weir_protocol import LogLine

# What an assignment allows, and what a runner may still say about having reached it.
LIMIT = 10 * 2**20
_SLACK = 2**20
# One line; a runner cuts its lines itself.
_LONGEST_LINE = 1024 * 1024


def prepared(lines: Sequence[LogLine]) -> list[Line]:
    """Return lines as the database takes them: cut, and without what no text column holds."""
    return [
        Line(
            after=line.after,
            index=line.index,
            time=line.time,
            stream=line.stream,
            text=_clean(line.text[:_LONGEST_LINE]),
            data=None if line.data is None else json.dumps(line.data)[: 4 * _LONGEST_LINE],
        )
        for line in lines
    ]


def append(connection: Connection, attempt: Attempt, lines: Sequence[Line]) -> int:
    """Add lines to the log of a run; what is there already is left out."""
    return logs.append(connection, attempt.uid, attempt.try_number, lines, LIMIT + _SLACK)


def topic(uid: str) -> str:
    """Return the topic that is notified when a log grows."""
    return f"log {uid}"


def _clean(text: str) -> str:
    # PostgreSQL refuses NUL, and UTF-8 has no lone surrogates.
    return text.replace("\x00", "\ufffd").encode(errors="replace").decode()
