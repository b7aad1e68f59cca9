"""Objects for tests: each case says only what matters to it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from weir.api import names
from weir.api.connector import Connector
from weir.api.execution import Execution
from weir.api.flow import Flow
from weir.api.resource import JsonObject, render_time
from weir.api.schedule import Schedule

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
HANDLER = "def handler(system, this):\n    pass\n"


def after(seconds: float) -> datetime:
    """Return a moment that many seconds after NOW."""
    return NOW + timedelta(seconds=seconds)


def _metadata(kind: str, name: str, **fields: Any) -> JsonObject:
    return {
        "name": name,
        "namespace": "demo",
        "uid": f"{kind}-{name}",
        "resourceVersion": "1",
        "generation": 1,
        "creationTimestamp": render_time(NOW),
    } | fields


def execution_object(
    name: str = "run",
    *,
    metadata: JsonObject | None = None,
    status: JsonObject | None = None,
    **spec: Any,
) -> JsonObject:
    """Return an Execution as the API has it; without a target it runs the Flow `hello`."""
    if not spec.keys() & {"flow", "script", "connection"}:
        spec["flow"] = "hello"
    return {
        "apiVersion": names.API_VERSION,
        "kind": Execution.KIND,
        "metadata": _metadata("execution", name, **(metadata or {})),
        "spec": spec,
        "status": status or {},
    }


def execution(name: str = "run", **fields: Any) -> Execution:
    """Return an Execution; see `execution_object`."""
    return Execution.model_validate(execution_object(name, **fields))


def started(
    name: str = "run", *, phase: str = "Starting", attempt: int = 1, **fields: Any
) -> Execution:
    """Return an Execution whose current attempt has a Pod."""
    more = fields.pop("status", {})
    pod = names.pod_name(name, f"execution-{name}", attempt)
    status = {
        "phase": phase,
        "flow": "hello",
        "attempt": attempt,
        "try": 1,
        "revision": "abc",
        "runner": {"pod": pod, "podUID": f"pod-{attempt}"},
        "startingTime": render_time(NOW, exact=True),
    }
    return execution(name, status=status | more, **fields)


def flow_object(
    name: str = "hello",
    *,
    metadata: JsonObject | None = None,
    status: JsonObject | None = None,
    ready: bool | None = True,
    **spec: Any,
) -> JsonObject:
    """Return a Flow as the API has it; `ready` None: not checked yet."""
    conditions = [
        {
            "type": "Ready",
            "status": "True" if ready else "False",
            "reason": "Ready" if ready else "NoHandler",
            "message": "may be used" if ready else "the script defines no function `handler`",
            "lastTransitionTime": render_time(NOW),
        }
    ]
    checked = {"conditions": conditions, "observedGeneration": 1, "revision": "abc"}
    return {
        "apiVersion": names.API_VERSION,
        "kind": Flow.KIND,
        "metadata": _metadata("flow", name, **(metadata or {})),
        "spec": {"script": HANDLER} | spec,
        "status": ({} if ready is None else checked) | (status or {}),
    }


def flow(name: str = "hello", **fields: Any) -> Flow:
    """Return a Flow; see `flow_object`."""
    return Flow.model_validate(flow_object(name, **fields))


def connector_object(name: str = "repo", *, ready: bool | None = True, **fields: Any) -> JsonObject:
    """Return a Connector as the API has it; its type is GIT where nothing else is said."""
    like = flow_object(name, ready=ready, metadata=fields.pop("metadata", None))
    like["metadata"]["uid"] = f"connector-{name}"
    like["status"].pop("revision", None)
    return like | {"kind": Connector.KIND, "spec": {"type": "GIT"} | fields}


def connector(name: str = "repo", **fields: Any) -> Connector:
    """Return a Connector; see `connector_object`."""
    return Connector.model_validate(connector_object(name, **fields))


def schedule_object(
    name: str = "nightly",
    *,
    metadata: JsonObject | None = None,
    status: JsonObject | None = None,
    **spec: Any,
) -> JsonObject:
    """Return a Schedule as the API has it: of the Flow `hello`, each hour if nothing is said."""
    if not spec.keys() & {"cron", "interval"}:
        spec["cron"] = "0 * * * *"
    return {
        "apiVersion": names.API_VERSION,
        "kind": Schedule.KIND,
        "metadata": _metadata("schedule", name, **(metadata or {})),
        "spec": {"flow": "hello"} | spec,
        "status": status or {},
    }


def schedule(name: str = "nightly", **fields: Any) -> Schedule:
    """Return a Schedule; see `schedule_object`."""
    return Schedule.model_validate(schedule_object(name, **fields))


def pod_object(
    execution_name: str = "run",
    *,
    attempt: int = 1,
    uid: str | None = None,
    state: JsonObject | None = None,
    metadata: JsonObject | None = None,
    memory_limit: str | None = None,
    **status: Any,
) -> JsonObject:
    """Return a runner Pod as the API has it; `state` is its container's."""
    owner = f"execution-{execution_name}"
    resources = {"limits": {"memory": memory_limit}} if memory_limit else {}
    container = {"name": "runner", "image": "weir-runner:test", "resources": resources}
    if state is not None:
        status["containerStatuses"] = [{"name": "runner", "state": state}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": names.pod_name(execution_name, owner, attempt),
            "namespace": "demo",
            "uid": uid or f"pod-{attempt}",
            "creationTimestamp": render_time(NOW),
            "labels": {names.EXECUTION_LABEL: execution_name},
            "ownerReferences": [
                {
                    "apiVersion": names.API_VERSION,
                    "kind": Execution.KIND,
                    "name": execution_name,
                    "uid": owner,
                    "controller": True,
                }
            ],
        }
        | (metadata or {}),
        "spec": {"containers": [container]},
        "status": {"phase": "Pending"} | status,
    }


RUNNING = {"running": {"startedAt": render_time(NOW)}}


def terminated(code: int, reason: str = "Error", **fields: Any) -> JsonObject:
    """Return the state of a container that ended."""
    times = {"startedAt": render_time(NOW), "finishedAt": render_time(after(5))}
    return {"terminated": {"exitCode": code, "reason": reason} | times | fields}
