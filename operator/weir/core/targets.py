"""What an Execution runs, and what stands in the way of it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from weir.api.connector import Connector
from weir.api.execution import ConnectionRef, Execution
from weir.api.flow import Flow, FlowSpec
from weir.api.reasons import ConditionType, Reason
from weir.api.repository import FlowRepository
from weir.api.resource import Condition, JsonObject
from weir.api.schedule import Schedule
from weir.api.webhook import Webhook
from weir.core.lookup import Catalog
from weir.core.observed import Obstacle, Plan
from weir.core.provenance import source_of
from weir_connectors import registry
from weir_connectors.errors import InputError, UnknownTypeError

# Manifests are applied in any order: what a root names may come a moment later.
PATIENCE = timedelta(seconds=60)
_AT_ONCE = timedelta(0)


def plan_of(execution: Execution, flows: Catalog[Flow], connectors: Catalog[Connector]) -> Plan:
    """Return what an Execution that has not started would run, as its namespace is now."""
    spec = execution.spec
    if spec.draft is not None and spec.flow is not None:
        return replace(_of_draft(spec.flow, flows), source=None)  # no commit has its script
    if spec.flow is not None:
        return _of_flow(spec.flow, flows.find(spec.flow))
    if spec.connection is not None:
        return _of_connection(execution, spec.connection, connectors)
    return Plan(title="script")


def plan_of_started(
    execution: Execution, spec: FlowSpec | None, connectors: Catalog[Connector]
) -> Plan:
    """Return what an Execution runs that has started; `spec` is that of its revision, if any.

    A revision that is gone is an obstacle: only to a new attempt, a live Pod needs it no more.
    """
    title, revision = execution.status.flow or execution.target, execution.status.revision
    if execution.spec.flow is not None:
        obstacle = None
        if spec is None:
            message = f"revision {revision} of Flow {title} is gone, so the run cannot go on"
            obstacle = Obstacle(reason=Reason.RUNNER_LOST, message=message, patience=_AT_ONCE)
        return Plan(title=title, flow=title, revision=revision, spec=spec, obstacle=obstacle)
    if execution.spec.connection is not None:
        inputs, type_ = _connection(execution, execution.spec.connection, connectors)
        return Plan(title=title, repeatable=_is_repeatable(type_, inputs))
    return Plan(title=title)


def ready_condition(
    resource: Flow | Connector | Schedule | Webhook | FlowRepository,
) -> Condition | None:
    """Return the Ready condition, if it is about the object as it is now."""
    if resource.status.observed_generation != resource.metadata.generation:
        return None
    conditions = resource.status.conditions
    return next((one for one in conditions if one.type == ConditionType.READY), None)


def _of_draft(name: str, flows: Catalog[Flow]) -> Plan:
    """Return what a draft would run: all but the script is the Flow's.

    By its object name only: whoever made the draft was asked for the right to change that Flow.
    """
    titled = flows.find(name)
    if titled is None or titled.metadata.name == name:
        return _of_flow(name, titled)
    message = f"a draft names its Flow by object name: {titled.metadata.name}, not {name!r}"
    obstacle = Obstacle(reason=Reason.FLOW_NOT_FOUND, message=message, patience=_AT_ONCE)
    return Plan(title=titled.metadata.name, obstacle=obstacle)


def _of_flow(word: str, flow: Flow | None) -> Plan:
    if flow is None:
        message = f"there is no Flow called {word!r} in this namespace"
        obstacle = Obstacle(reason=Reason.FLOW_NOT_FOUND, message=message, patience=PATIENCE)
        return Plan(title=word, obstacle=obstacle)
    return Plan(
        title=flow.metadata.name,
        flow=flow.metadata.name,
        revision=flow.status.revision,
        spec=flow.spec,
        source=source_of(flow),
        obstacle=_obstacle(flow, Reason.FLOW_NOT_READY) or _suspended(flow),
        max_concurrent=flow.spec.max_concurrent,
    )


def _suspended(flow: Flow) -> Obstacle | None:
    if not flow.spec.suspend:
        return None
    message = f"Flow {flow.metadata.name} is suspended (spec.suspend)"
    return Obstacle(reason=Reason.FLOW_SUSPENDED, message=message)


def _obstacle(resource: Flow | Connector, reason: Reason) -> Obstacle | None:
    name = f"{resource.KIND} {resource.metadata.name}"
    condition = ready_condition(resource)
    if condition is None or condition.status == "Unknown":
        return Obstacle(reason=reason, message=f"{name} is not checked yet", silent=True)
    if condition.status == "True":
        return None
    message = f"{name} is not ready: {condition.reason}: {condition.message}"
    return Obstacle(reason=reason, message=message, patience=PATIENCE)


def _of_connection(
    execution: Execution, reference: ConnectionRef, connectors: Catalog[Connector]
) -> Plan:
    inputs, type_ = _connection(execution, reference, connectors)
    return Plan(
        title=type_ or execution.target,
        obstacle=_connection_obstacle(execution, reference, connectors),
        repeatable=_is_repeatable(type_, inputs),
    )


def _connection_obstacle(
    execution: Execution, reference: ConnectionRef, connectors: Catalog[Connector]
) -> Obstacle | None:
    connector = connectors.find(reference.connector) if reference.connector else None
    if reference.connector is not None:
        if connector is None:
            message = f"there is no Connector called {reference.connector!r} in this namespace"
            return Obstacle(reason=Reason.CONNECTOR_NOT_FOUND, message=message, patience=PATIENCE)
        not_ready = _obstacle(connector, Reason.CONNECTOR_NOT_READY)
        unfit = _unfit(execution, reference, connector)
        if not_ready or unfit:
            return not_ready or unfit
    inputs, type_ = _connection(execution, reference, connectors)
    secret = [one.input for one in connector.spec.secret_inputs] if connector else []
    try:
        if execution.spec.inputs_ref is None:
            registry.check(type_, inputs, secret)
    except UnknownTypeError as error:
        return Obstacle(reason=Reason.UNKNOWN_TYPE, message=str(error), patience=_AT_ONCE)
    except InputError as error:
        message = f"{type(error).__name__}: {error}"
        return Obstacle(reason=Reason.INVALID_INPUTS, message=message, patience=_AT_ONCE)
    return None


def _unfit(execution: Execution, reference: ConnectionRef, connector: Connector) -> Obstacle | None:
    name = f"Connector {connector.metadata.name}"
    if reference.type is not None and reference.type != connector.spec.type:
        message = f"{name} is of type {connector.spec.type}, not {reference.type}"
        return Obstacle(reason=Reason.INVALID_INPUTS, message=message, patience=_AT_ONCE)
    if execution.spec.mode not in connector.spec.allowed_modes:
        message = f"{name} does not allow {execution.spec.mode} runs (spec.allowedModes)"
        return Obstacle(reason=Reason.CONNECTOR_NOT_READY, message=message, patience=_AT_ONCE)
    return None


def _connection(
    execution: Execution, reference: ConnectionRef, connectors: Catalog[Connector]
) -> tuple[JsonObject, str]:
    """Return the inputs of a connection, without secret ones, and its type ("" if unknown)."""
    connector = connectors.find(reference.connector) if reference.connector else None
    defaults: dict[str, Any] = (connector.spec.inputs or {}) if connector else {}
    type_ = reference.type or (connector.spec.type if connector else "")
    return defaults | (execution.spec.inputs or {}), type_


def _is_repeatable(type_: str, inputs: JsonObject) -> bool:
    try:
        return registry.repeatable(type_, inputs)
    except UnknownTypeError:
        return False
