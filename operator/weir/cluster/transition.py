"""The one place that writes an Execution's status, for operator and server alike."""

from collections.abc import Iterator

from weir.api.execution import Execution
from weir.api.resource import JsonObject
from weir.cluster.client import Cluster
from weir.cluster.kinds import EXECUTIONS
from weir.core.moves import StatusChange


async def transition(cluster: Cluster, execution: Execution, change: StatusChange) -> Execution:
    """Write a change of status, guarded by the version that it was decided on; return the Execution
    as it then is.

    Raises Conflict when somebody was faster (look again, decide again), NotFound when it is gone,
    Invalid when the rules of the CRD refuse the move.
    """
    metadata = execution.metadata
    body = {
        "metadata": {"resourceVersion": metadata.resource_version, "uid": metadata.uid},
        "status": change.fields,
    }
    if change.whole is not None:
        changes = list(_operations(execution, change.whole))
        written = await cluster.amend(
            EXECUTIONS, metadata.namespace, metadata.name, changes, status=True
        )
    else:
        written = await cluster.patch(
            EXECUTIONS, metadata.namespace, metadata.name, body, status=True
        )
    return Execution.model_validate(written)


def _operations(execution: Execution, fields: JsonObject) -> Iterator[JsonObject]:
    """Yield the JSON Patch that gives a status these fields."""
    metadata, old = execution.metadata, execution.status.dump()
    for name, value in (
        ("resourceVersion", metadata.resource_version),
        ("uid", metadata.uid),
    ):
        yield {"op": "replace", "path": f"/metadata/{name}", "value": value}
    for name, value in fields.items():
        if value is not None:
            yield {"op": "add", "path": f"/status/{name}", "value": value}
        elif name in old:
            yield {"op": "remove", "path": f"/status/{name}"}
