"""The phases of a local execution, and the words that scripts read for them.

They are those of `weir.api.phases`; a test holds both together.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

Phase: TypeAlias = Literal[
    "Pending", "Running", "Waiting", "Paused", "Succeeded", "Failed", "Cancelled"
]

FINAL: frozenset[Phase] = frozenset({"Succeeded", "Failed", "Cancelled"})

SCRIPT_STATUS: dict[Phase, str] = {
    "Pending": "NEW",
    "Running": "RUNNING",
    "Waiting": "WAITING",
    "Paused": "PAUSED",
    "Succeeded": "ENDED_SUCCESS",
    "Failed": "ENDED_ERROR",
    "Cancelled": "ENDED_CANCELLED",
}
