"""Runs without a Pod, as the operator keeps them: there may be thousands, and for months."""

from __future__ import annotations

from dataclasses import dataclass

from weir.api.execution import Execution
from weir.api.phases import Phase
from weir.core import retries


@dataclass(frozen=True, slots=True)
class Dormant:
    """What is asked of such a run without looking at it, and all else as JSON text."""

    uid: str
    phase: Phase
    version: str  # its resourceVersion
    try_number: int
    parent_uid: str | None
    text: bytes

    @classmethod
    def of(cls, execution: Execution) -> Dormant:
        """Return an Execution as it is kept: without its values, by which nothing is decided."""
        script = execution.spec.script and "#"
        spec = execution.spec.model_copy(update={"inputs": None, "draft": None, "script": script})
        status = execution.status.model_copy(update={"outputs": None})
        slim = execution.model_copy(update={"spec": spec, "status": status})
        return cls(
            uid=execution.uid,
            phase=execution.phase,
            version=execution.metadata.resource_version,
            try_number=retries.number_of(execution.status),
            parent_uid=parent_of(execution),
            text=slim.model_dump_json(by_alias=True, exclude_none=True).encode(),
        )

    def awake(self) -> Execution:
        """Return the Execution, without its values."""
        return Execution.model_validate_json(self.text)


def awake(one: Execution | Dormant) -> Execution:
    """Return the Execution itself."""
    return one.awake() if isinstance(one, Dormant) else one


def version_of(one: Execution | Dormant) -> str:
    """Return its resourceVersion."""
    return one.version if isinstance(one, Dormant) else one.metadata.resource_version


def parent_of(one: Execution | Dormant) -> str | None:
    """Return the UID of its parent."""
    if isinstance(one, Dormant):
        return one.parent_uid
    return one.spec.parent.uid if one.spec.parent is not None else None
