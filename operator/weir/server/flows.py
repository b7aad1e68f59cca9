"""What a run executes: the revision of its Flow that it keeps to its end, or its inline script."""

from __future__ import annotations

from collections import OrderedDict

from pydantic import ValidationError

from weir.api.execution import Execution
from weir.api.flow import FlowSpec
from weir.api.names import revision_name
from weir.cluster.client import Cluster
from weir.cluster.errors import NotFound
from weir.cluster.kinds import CONTROLLER_REVISIONS

# Revisions never change. 100 of them at 200 KiB of script are 20 MB at the very most.
_KEPT = 100


class RevisionMissing(Exception):
    """The revision that a run was given is not there, or is none."""


class Revisions:
    """Reads revisions of Flows, each once."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._known: OrderedDict[tuple[str, str], FlowSpec] = OrderedDict()

    async def of(self, execution: Execution) -> FlowSpec | None:
        """Return what a run executes; None for a connection. A draft stands in for the script.

        Raises RevisionMissing, ClusterError.
        """
        if execution.spec.script is not None:
            return FlowSpec(script=execution.spec.script)
        if execution.spec.connection is not None:
            return None
        flow, revision = execution.status.flow, execution.status.revision
        if flow is None or revision is None:
            raise RevisionMissing(f"execution {execution.metadata.name} was given no revision")
        spec = await self._read(execution.metadata.namespace, revision_name(flow, revision))
        if execution.spec.draft is None:
            return spec
        return spec.model_copy(update={"script": execution.spec.draft})

    async def _read(self, namespace: str, name: str) -> FlowSpec:
        key = (namespace, name)
        if key not in self._known:
            try:
                item = await self._cluster.get(CONTROLLER_REVISIONS, namespace, name)
                spec = FlowSpec.model_validate(item.get("data"))
            except NotFound:
                raise RevisionMissing(f"revision {namespace}/{name} is gone") from None
            except ValidationError as error:
                raise RevisionMissing(
                    f"revision {namespace}/{name} is not understood: {str(error)[:300]}"
                ) from error
            self._known[key] = spec
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return self._known[key]
