"""Executions with their values, wherever these are: at hand, in Kubernetes, in SQL, or archived."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

from weir.api.execution import Execution
from weir.api.execution_status import StoredValue
from weir.api.resource import JsonObject, Key
from weir.cluster.errors import NotFound
from weir.cluster.kinds import EXECUTIONS
from weir.core.views import view
from weir.server.runtime import Runtime
from weir.server.watches import parsed
from weir.storage import archive, deliveries, operations
from weir.storage import values as stored
from weir_protocol import ExecutionView


class ValueMissing(Exception):
    """A value that an Execution refers to is not in the database."""


class Values:
    """Reads Executions and what belongs to them."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    @property
    def runtime(self) -> Runtime:
        """What the server knows."""
        return self._runtime

    async def find(self, uid: str) -> Execution | None:
        """Return an Execution, live or archived, possibly without its values."""
        return self._runtime.executions.get(uid) or await self._archived(uid)

    async def whole(self, uid: str) -> Execution | None:
        """Return an Execution with its inline values; None when it is gone. Raises ClusterError."""
        executions = self._runtime.executions
        known = executions.get(uid)
        if known is None:
            return await self._archived(uid)
        if executions.is_whole(uid):
            return known
        namespace, name = known.key
        try:
            item = await self._runtime.cluster.get(EXECUTIONS, namespace, name)
        except NotFound:
            item = None
        if item is None or item["metadata"]["uid"] != uid:
            return await self._archived(uid)
        return parsed(Execution, item)

    async def is_gone(self, uid: str) -> str | None:
        """Return the name of an Execution that a script created and that is no more.

        None: nothing is known of it. An Execution that is there, though not yet seen, is entered.
        """
        record = await self._runtime.database.read(lambda sql: operations.by_effect(sql, uid))
        if record is None or record.effect_name is None:
            return None
        parent = self._runtime.executions.get(record.uid)
        if parent is not None:
            try:
                item = await self._runtime.cluster.get(
                    EXECUTIONS, parent.metadata.namespace, record.effect_name
                )
            except NotFound:
                return record.effect_name
            execution = parsed(Execution, item)
            if execution is not None and execution.uid == uid:
                self._runtime.executions.feed(execution)
        return record.effect_name

    async def inputs(self, execution: Execution) -> JsonObject:
        """Return the inputs of an Execution that is held whole. Raises ValueMissing."""
        reference = execution.spec.inputs_ref
        if reference is None:
            return execution.spec.inputs or {}
        # Inputs by reference come from a parent, which is whose value they are.
        owner = execution.spec.parent.uid if execution.spec.parent else execution.uid
        try:
            return await self._stored(owner, reference)
        except ValueMissing:
            # Or from a Webhook, whose server may have gone as soon as the run was made.
            data = await self._runtime.database.read(
                lambda sql: deliveries.get_inputs(sql, owner_of(execution.key), reference.digest)
            )
            if data is None or execution.spec.parent is not None:
                raise
        return _loaded(data)

    async def outputs(self, execution: Execution) -> JsonObject:
        """Return the outputs of an Execution that is held whole. Raises ValueMissing."""
        reference = execution.status.outputs_ref
        if reference is None:
            return execution.status.outputs or {}
        return await self._stored(execution.uid, reference)

    async def full_view(self, uid: str) -> ExecutionView | None:
        """Return an Execution with all its values; None when it is gone.

        Raises ValueMissing, ClusterError.
        """
        execution = await self.whole(uid)
        if execution is None:
            return None
        return view(
            execution,
            inputs=await self.inputs(execution),
            outputs=await self.outputs(execution),
        )

    def with_small_outputs(self, shown: ExecutionView) -> ExecutionView:
        """Return the view of an ended Execution with its outputs, if they are at hand and small.

        Otherwise they stay None, and the script reads them when it wants them.
        """
        execution = self._runtime.executions.get(shown.uid)
        if (
            execution is None
            or not execution.phase.is_final
            or execution.status.outputs_ref is not None
            or not self._runtime.executions.is_whole(shown.uid)
        ):
            return shown
        return replace(shown, output_value=execution.status.outputs or {})

    async def _archived(self, uid: str) -> Execution | None:
        row = await self._runtime.database.read(lambda sql: archive.get(sql, uid))
        return None if row is None else parsed(Execution, json.loads(row.object))

    async def _stored(self, owner: str, reference: StoredValue) -> JsonObject:
        data = await self._runtime.database.read(
            lambda sql: stored.get(sql, owner, reference.digest)
        )
        if data is None:
            raise ValueMissing(
                f"the value {reference.digest[:12]} of {reference.bytes} bytes is not in the "
                "database: it was swapped, or restored from an older copy"
            )
        return _loaded(data)


def owner_of(key: Key) -> str:
    """Return whose the inputs are of a run of that name that is not made yet."""
    return hashlib.sha256("/".join(key).encode()).hexdigest()[:48]


def _loaded(data: bytes) -> JsonObject:
    value: JsonObject = json.loads(data.decode(errors="surrogatepass"))
    return value
