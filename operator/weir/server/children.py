"""The operation `child`: an Execution under a derived name, made once however often asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from weir.api import names
from weir.api.execution import MAX_INLINE_INPUTS, Execution, ExecutionSpec
from weir.api.flow import MAX_SCRIPT
from weir.api.phases import DesiredState
from weir.api.resource import JsonObject
from weir.cluster.errors import AlreadyExists, ClusterError, Invalid, NotFound, Unavailable
from weir.cluster.kinds import EXECUTIONS
from weir.core import journal, outcomes, views
from weir.server import connections, raising
from weir.server.runs import Run
from weir.server.runtime import Runtime
from weir.server.steps import Plan, Result
from weir.storage.operations import Record
from weir.storage.values import Value
from weir_protocol.arguments import (
    ChildArguments,
)

_MAX_INPUTS = 16 * 2**20
_MAX_TITLE = 253
# May change after a child was made, so they are no sign of another's object.
_MAY_CHANGE = ("desiredState", "mode")


class Child(NamedTuple):
    """A child that is to be made."""

    name: str
    spec: JsonObject


class Children:
    """Makes children."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def plan(self, run: Run, sequence: int, arguments: ChildArguments) -> Plan[Child]:
        """Decide what child to make. Raises Raises."""
        target, spec, secret = self._target(run.execution, arguments)
        protected = sorted({*arguments.protect_inputs, *secret})
        where = outcomes.placed(arguments.inputs, protected, MAX_INLINE_INPUTS)
        spec |= self._common(run, sequence, arguments, protected)
        if where.inline:
            spec["inputs"] = where.inline
        values = []
        if where.stored is not None:
            if len(where.stored) > _MAX_INPUTS:
                raise raising.Raises(
                    "InvalidInputError",
                    f"the inputs have {len(where.stored)} bytes as JSON, more than {_MAX_INPUTS}",
                )
            value = Value.of(where.stored)
            values.append(value)
            spec["inputsRef"] = {"digest": value.digest, "bytes": len(value.data)}
        name = names.child_name(target, run.uid, run.attempt.try_number, sequence)
        return Plan(Child(name, spec), spec_digest(spec), values=values, creates=name)

    async def act(
        self, run: Run, record: Record, plan: Plan[Child], arguments: Any, until: datetime
    ) -> Result:
        """Create the child, or adopt the one that an earlier, interrupted request made."""
        # The name that was entered first holds: titles may have moved to other flows meanwhile.
        name, spec = record.effect_name or plan.made.name, plan.made.spec
        namespace = run.execution.metadata.namespace
        try:
            item = await self._runtime.cluster.create(
                EXECUTIONS, namespace, _body(run.execution, name, spec)
            )
        except AlreadyExists:
            item = await self._adopted(run, record, plan, namespace, name)
        except Invalid as error:
            raise raising.Raises("InvalidInputError", _cut(error)) from None
        except NotFound as error:  # the namespace is going
            raise raising.internal(_cut(error)) from None
        except Unavailable:
            raise
        except ClusterError as error:
            if error.status not in (400, 403, 413):
                raise
            raise raising.internal(f"child {name} was refused: {_cut(error)}") from None
        child = self._runtime.executions.feed(Execution.model_validate(item))
        return Result([views.as_created(child)], effect=child)

    async def _adopted(
        self, run: Run, record: Record, plan: Plan[Child], namespace: str, name: str
    ) -> JsonObject:
        try:
            item = await self._runtime.cluster.get(EXECUTIONS, namespace, name)
        except NotFound:
            raise Unavailable(f"execution {name} was there and is gone") from None
        found = Execution.model_validate(item)
        owner, parent = found.metadata.controller, found.spec.parent
        if (
            owner is None
            or owner.uid != run.uid
            or parent is None
            or (parent.uid, parent.try_number, parent.sequence)
            != (run.uid, record.try_number, record.sequence)
            # As it was asked for first, or by the attempt that then made it.
            or spec_digest(found.spec.dump()) not in (record.digest, plan.digest)
        ):
            raise raising.internal(
                f"NameTaken: there is an execution {namespace}/{name} that somebody else made; "
                "delete it"
            )
        return item

    def _target(
        self, parent: Execution, arguments: ChildArguments
    ) -> tuple[str, JsonObject, frozenset[str]]:
        """Return what the child's name begins with, what it runs, and which inputs are secret."""
        namespace = parent.metadata.namespace
        given = [
            arguments.flow is not None,
            arguments.script is not None,
            arguments.connector is not None or arguments.connector_type is not None,
        ]
        if sum(given) != 1:
            raise raising.Raises(
                "InvalidInputError", "a child is one of a flow, a script and a connection"
            )
        if arguments.script is not None:
            if not 0 < len(arguments.script) <= MAX_SCRIPT:
                raise raising.Raises(
                    "InvalidInputError", f"a script has 1 to {MAX_SCRIPT} characters"
                )
            return "script", {"script": arguments.script}, frozenset()
        if arguments.flow is not None:
            flow = self._runtime.catalogs.flows(namespace).find(arguments.flow)
            if flow is None:
                raise raising.not_found(
                    f'there is no flow "{arguments.flow[:253]}" in namespace {namespace}'
                )
            return flow.metadata.name, {"flow": flow.metadata.name}, frozenset()
        resolved = connections.resolve(
            self._runtime.catalogs.connectors(namespace),
            connector=arguments.connector,
            type_=arguments.connector_type,
            given=arguments.inputs,
            mode=parent.spec.mode,
        )
        reference = {"type": resolved.type}
        if resolved.connector is not None:
            reference["connector"] = resolved.connector.metadata.name
        secret = connections.secret_by_nature(resolved.type)
        target = reference.get("connector", resolved.type)
        return target, {"connection": reference}, secret & arguments.inputs.keys()

    def _common(
        self, run: Run, sequence: int, arguments: ChildArguments, protected: list[str]
    ) -> JsonObject:
        parent = run.execution
        above = parent.spec.parent.depth if parent.spec.parent else 0
        spec: JsonObject = {
            "parent": {
                "name": parent.metadata.name,
                "uid": run.uid,
                "sequence": sequence,
                "try": run.attempt.try_number,
                "depth": above + 1,
            },
            "mode": str(parent.spec.mode),
        }
        if parent.spec.priority:
            spec["priority"] = parent.spec.priority
        if not arguments.run:
            spec["desiredState"] = str(DesiredState.PAUSED)
        if arguments.title and arguments.title.strip():
            spec["title"] = arguments.title[:_MAX_TITLE]
        if arguments.orphan:
            spec["orphan"] = True
        if protected:
            spec["protectInputs"] = protected
        if arguments.protect_outputs:
            spec["protectOutputs"] = sorted(set(arguments.protect_outputs))
        return spec


def spec_digest(spec: JsonObject) -> str:
    """Return the sha256 of what a child is to run, whatever may change of it later."""
    whole = ExecutionSpec.model_validate(spec).dump()
    kept = {key: value for key, value in whole.items() if key not in _MAY_CHANGE}
    return journal.digest_of_json(journal.with_plain_numbers(kept))


def _body(parent: Execution, name: str, spec: JsonObject) -> JsonObject:
    return {
        "apiVersion": names.API_VERSION,
        "kind": Execution.KIND,
        "metadata": {
            "name": name,
            "labels": {names.ROOT_LABEL: parent.root, names.MODE_LABEL: spec["mode"]},
            "ownerReferences": [
                {
                    "apiVersion": names.API_VERSION,
                    "kind": Execution.KIND,
                    "name": parent.metadata.name,
                    "uid": parent.uid,
                    "controller": True,
                    "blockOwnerDeletion": False,
                }
            ],
        },
        "spec": spec,
    }


def _cut(error: ClusterError) -> str:
    return error.message[:1000]
