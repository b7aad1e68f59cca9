"""The one place that writes an Execution's status, for operator and server alike."""

from weir.api.execution import Execution
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
    written = await cluster.patch(EXECUTIONS, metadata.namespace, metadata.name, body, status=True)
    return Execution.model_validate(written)
