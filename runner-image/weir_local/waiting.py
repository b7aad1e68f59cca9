"""When a wait for executions is over, and what it says when one of them ended badly.

The rules are those of `weir.core.waiting` and `weir.core.views`; a test holds both together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from weir_local.phases import FINAL, Phase
from weir_protocol import ExecutionView
from weir_protocol.arguments import ReturnWhen


@dataclass(frozen=True, slots=True)
class Seen:
    """One execution that is waited for."""

    uid: str
    phase: Phase | None  # None: it was deleted, and nobody knows how it ended
    ended: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether it will not change any more."""
        return self.phase is None or self.phase in FINAL


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a wait stands, and the executions that this is about, in the order asked for.

    `over`: those that have ended. `failed`: the one that did not succeed. `expired`: those that had
    not ended at the deadline.
    """

    state: Literal["pending", "over", "failed", "expired"]
    uids: tuple[str, ...] = ()


def verdict(return_when: ReturnWhen, seen: Sequence[Seen], *, expired: bool) -> Verdict:
    """Return how a wait stands. What has ended counts, even when the deadline passed meanwhile."""
    over = tuple(one.uid for one in seen if one.is_over)
    if return_when == "ALL_SUCCEEDED":
        failed = [one for one in seen if one.is_over and one.phase != "Succeeded"]
        if failed:
            return Verdict("failed", (min(failed, key=_end_of).uid,))
    if len(over) == len(seen) or (return_when == "FIRST_ENDED" and over):
        return Verdict("over", over)
    if expired:
        return Verdict("expired", tuple(one.uid for one in seen if not one.is_over))
    return Verdict("pending")


def failure(failed: ExecutionView) -> str:
    """Return the text of a DependencyFailedError: which leaf failed, and why."""
    leaf = failed.cause
    if failed.phase == "Cancelled":
        text = f"execution {failed.name} ({failed.title}) was cancelled"
        return f"{text}: {failed.message}" if failed.message else text
    if leaf is None:
        return f"execution {failed.name} ({failed.title}) failed: {failed.message or 'no reason'}"
    return f"execution {leaf.execution} ({leaf.title}) failed: {leaf.message}"


def late(names: Sequence[str], timeout: float) -> str:
    """Return the text of a DependencyTimeoutError."""
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{', '.join(names[:5])}{more} had not ended after {timeout:g} s"


def _end_of(one: Seen) -> tuple[bool, float]:
    """Sort the first to end first, and those that are gone last."""
    return (one.ended is None, one.ended or 0.0)
