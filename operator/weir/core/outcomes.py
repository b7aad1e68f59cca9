"""What a runner's report of the end makes of an Execution."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from weir.api.execution import MAX_INLINE_OUTPUTS
from weir.api.execution_status import CauseStatus, StoredValue
from weir.api.phases import Phase
from weir.api.reasons import Reason
from weir.api.resource import JsonObject
from weir.core.moves import cut
from weir.core.views import masked
from weir_protocol import Cause, End

# What a runner may give as the reason of a failure; any other word is taken for a script's error.
REPORTED = frozenset(
    {
        Reason.NOT_INSTALLED,
        Reason.SCRIPT_ERROR,
        Reason.SCRIPT_ENDED,
        Reason.SCRIPT_EXITED,
        Reason.DEPENDENCY_FAILED,
        Reason.CONNECTION_FAILED,
        Reason.OUTPUT_TOO_LARGE,
        Reason.INVALID_INPUTS,
        Reason.INVALID_OUTPUTS,
        Reason.SYNTAX_ERROR,
        Reason.NO_HANDLER,
        Reason.OUT_OF_MEMORY,
        Reason.TIMED_OUT,
        Reason.DIVERGED,
    }
)

_UNKNOWN = "the runner reported a failure without saying which"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ends."""

    phase: Phase
    reason: Reason | None
    message: str | None


def outcome(end: End, *, wrong_outputs: str | None = None) -> Outcome:
    """Return how a run ends by its report. `wrong_outputs` says what is wrong with its outputs."""
    if end.status == "cancelled":
        return Outcome(Phase.CANCELLED, Reason.CANCELLED, end.message)
    if end.status == "error":
        known = end.reason in frozenset(map(str, REPORTED))
        reason = Reason(end.reason) if known else Reason.SCRIPT_ERROR
        return Outcome(Phase.FAILED, reason, end.message or _UNKNOWN)
    if wrong_outputs is not None:
        return Outcome(Phase.FAILED, Reason.INVALID_OUTPUTS, wrong_outputs)
    return Outcome(Phase.SUCCEEDED, None, end.message)


def too_large(size: int, limit: int) -> Outcome:
    """Return how a run ends whose outputs nobody can keep."""
    return Outcome(
        Phase.FAILED,
        Reason.OUTPUT_TOO_LARGE,
        f"the outputs have {size} bytes as JSON, more than {limit}: keep them elsewhere",
    )


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a JSON object goes: into the object of Kubernetes, into SQL, or (masked) into both."""

    inline: JsonObject | None
    stored: bytes | None  # JSON text


def placed(value: JsonObject, protected: Collection[str], limit: int) -> Placed:
    """Return where a value goes. Inline are at most `limit` bytes, and no protected values."""
    text = as_json(value)
    secret = [key for key in protected if key in value]
    if not secret:
        return Placed(value, None) if len(text) <= limit else Placed(None, text)
    shown = masked(value, secret)
    return Placed(shown if len(as_json(shown)) <= limit else None, text)


def place_outputs(outputs: JsonObject, protected: Collection[str]) -> Placed:
    """Return where the outputs of a run go."""
    return placed(outputs, protected, MAX_INLINE_OUTPUTS)


def output_fields(where: Placed, reference: StoredValue | None) -> dict[str, Any]:
    """Return the status fields of outputs, by their Python names."""
    return {"outputs": where.inline, "outputs_ref": reference}


def cause_status(cause: Cause | None) -> CauseStatus | None:
    """Return a leaf's failure as a status holds it."""
    if cause is None:
        return None
    return CauseStatus(
        execution=cause.execution[:253],
        title=cause.title[:253],
        message=cut(cause.message) or "",
    )


def as_json(value: JsonObject) -> bytes:
    """Return the JSON text of a value, in UTF-8 without blanks."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode(
        errors="surrogatepass"
    )
