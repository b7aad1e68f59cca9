"""Executions as scripts and people may see them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Literal

from weir.api import names
from weir.api.execution import Execution
from weir.api.execution_status import ExecutionStatus
from weir.api.phases import Mode, Phase
from weir.api.resource import JsonObject, parse_time, render_time
from weir_protocol import Cause, ExecutionView

MASK = "***"


def view(
    execution: Execution,
    *,
    inputs: JsonObject | None = None,
    outputs: JsonObject | None = None,
) -> ExecutionView:
    """Return an Execution as scripts read it, with the values that are given."""
    spec, status = execution.spec, execution.status
    connection = spec.connection
    return ExecutionView(
        uid=execution.uid,
        name=execution.metadata.name,
        title=execution.title,
        type=_type(execution),
        status=status.phase.script_status,
        phase=str(status.phase),
        reason=str(status.reason) if status.reason else None,
        message=status.message,
        description=status.description,
        flow_name=spec.flow,
        connector_name=connection.connector if connection else None,
        connector_type=connection.type if connection else None,
        parent_id=spec.parent.uid if spec.parent else None,
        is_productive=spec.mode == Mode.PRODUCTIVE,
        created_at=_time(execution.metadata.creation_timestamp),
        started_at=_time(status.start_time),
        ended_at=_time(status.completion_time),
        input_value=inputs,
        output_value=outputs,
        try_number=status.try_number or 1,
        cause=cause_of(execution) if status.phase.is_final else None,
        schedule_name=execution.metadata.labels.get(names.SCHEDULE_LABEL),
        scheduled_for=_due(execution),
        webhook_name=execution.metadata.labels.get(names.WEBHOOK_LABEL),
    )


def as_created(execution: Execution) -> ExecutionView:
    """Return the view that a child's creator was given, whatever became of the child since."""
    return view(execution.model_copy(update={"status": ExecutionStatus()}))


def cause_of(execution: Execution) -> Cause | None:
    """Return the leaf that an ended run failed for: itself, unless its status names another."""
    status = execution.status
    if status.phase == Phase.SUCCEEDED:
        return None
    if status.cause is not None:
        return Cause(
            execution=status.cause.execution,
            title=status.cause.title,
            message=status.cause.message,
        )
    return Cause(
        execution=execution.metadata.name,
        title=execution.title,
        message=status.message or _unsaid(status.phase),
    )


def failure(failed: ExecutionView) -> str:
    """Return the text of a DependencyFailedError: which leaf failed, and why."""
    leaf = failed.cause
    if failed.status == Phase.CANCELLED.script_status:
        text = f"execution {failed.name} ({failed.title}) was cancelled"
        return f"{text}: {failed.message}" if failed.message else text
    if leaf is None:
        return f"execution {failed.name} ({failed.title}) failed: {failed.message or 'no reason'}"
    return f"execution {leaf.execution} ({leaf.title}) failed: {leaf.message}"


def masked(value: JsonObject, keys: Collection[str]) -> JsonObject:
    """Return an object in which the values of these keys are not to be read."""
    return {key: MASK if key in keys else one for key, one in value.items()}


def public(execution: JsonObject) -> JsonObject:
    """Return an Execution's object, as the API has it, with protected values masked."""
    spec, status = execution.get("spec") or {}, execution.get("status") or {}
    shown = dict(execution)
    if isinstance(spec.get("inputs"), dict) and spec.get("protectInputs"):
        shown["spec"] = {**spec, "inputs": masked(spec["inputs"], spec["protectInputs"])}
    if isinstance(status.get("outputs"), dict) and spec.get("protectOutputs"):
        outputs = masked(status["outputs"], spec["protectOutputs"])
        shown["status"] = {**status, "outputs": outputs}
    return shown


def _type(execution: Execution) -> Literal["FLOW", "SCRIPT", "CONNECTION"]:
    if execution.spec.flow is not None:
        return "FLOW"
    return "SCRIPT" if execution.spec.script is not None else "CONNECTION"


def _due(execution: Execution) -> str | None:
    told = execution.metadata.annotations.get(names.SCHEDULED_TIME)
    try:
        due = parse_time(told) if told else None
        return _time(due) if due and due.tzinfo else None
    except (ValueError, OverflowError):  # whoever may make Executions may have written it
        return None


def _time(moment: datetime | None) -> str | None:
    return render_time(moment, exact=True) if moment else None


def _unsaid(phase: Phase) -> str:
    return "it was cancelled" if phase == Phase.CANCELLED else "it gave no reason"
