"""The operations that make and find executions: `child`, `children` and `cached`."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from weir_local.errors import denied, invalid, not_found
from weir_local.execution import Execution, Spec, full_view, view
from weir_protocol import Answer
from weir_protocol.scripts import MAX_SCRIPT

if TYPE_CHECKING:
    from weir_local.asked import Asked
    from weir_local.flows import Flow
    from weir_protocol.arguments import CachedArguments, ChildArguments, ChildrenArguments

_MAX_INPUTS = 16 * 2**20
_MAX_TITLE = 253
_NOT_STARTED = "created without being started: set spec.desiredState to Running to start it"


def child(asked: Asked, arguments: ChildArguments) -> Answer:
    """Make a child, and start it unless it is not to run."""
    if asked.execution.desired == "Cancelled":
        raise denied("this execution is to be cancelled: it starts nothing more")
    spec = _spec(asked, arguments)
    size = len(_json(arguments.inputs).encode(errors="surrogatepass"))
    if size > _MAX_INPUTS:
        raise invalid(f"the inputs have {size} bytes as JSON, more than {_MAX_INPUTS}")
    made = asked.world.make_child(asked.execution, asked.sequence, spec)
    created = view(made, asked.now)
    if arguments.run:
        asked.world.start(made)
    else:
        made.desired, made.reason, made.message = "Paused", "NotStarted", _NOT_STARTED
    return Answer(state="done", executions=[created])


def children(asked: Asked, arguments: ChildrenArguments) -> Answer:
    """List the children of an execution, the oldest first."""
    parent = asked.found(arguments.uid)
    shown = [view(one, asked.now) for one in parent.children if not one.is_deleted]
    return Answer(state="done", executions=shown)


def cached(asked: Asked, arguments: CachedArguments) -> Answer:
    """Find the newest success of the same thing with the same inputs in this process."""
    if not 0 <= arguments.max_age < float("inf"):
        raise invalid("an age is a number of seconds from 0 on")
    target = _target(asked, arguments)
    oldest = asked.now - arguments.max_age
    found = [
        one
        for one in asked.world.executions.values()
        if one.phase == "Succeeded"
        and (one.ended or 0.0) >= oldest
        and one.mode == asked.execution.mode
        and not (one.spec.protect_inputs or one.spec.protect_outputs)
        and _target_of(one) == target
        and _json(one.spec.inputs) == _json(arguments.inputs)
    ]
    if not found:
        return Answer(state="done")
    newest = max(found, key=lambda one: one.ended or 0.0)
    return Answer(state="done", executions=[full_view(newest, asked.now)], value=newest.outputs)


def _spec(asked: Asked, arguments: ChildArguments) -> Spec:
    given = [
        arguments.flow is not None,
        arguments.script is not None,
        arguments.connector is not None or arguments.connector_type is not None,
    ]
    if sum(given) != 1:
        raise invalid("a child is one of a flow, a script and a connection")
    title = arguments.title or ""
    wanted = Spec(
        inputs=arguments.inputs,
        title=title[:_MAX_TITLE] if title.strip() else None,
        orphan=arguments.orphan,
        protect_inputs=tuple(sorted(set(arguments.protect_inputs))),
        protect_outputs=tuple(sorted(set(arguments.protect_outputs))),
    )
    if arguments.script is not None:
        if not 0 < len(arguments.script) <= MAX_SCRIPT:
            raise invalid(f"a script has 1 to {MAX_SCRIPT} characters")
        return replace(wanted, script=arguments.script)
    if arguments.flow is not None:
        return replace(wanted, flow=_flow(asked, arguments.flow))
    connection = asked.services.connections.prepare(
        arguments.connector, arguments.connector_type, arguments.inputs
    )
    secret = set(connection.secret_inputs) & arguments.inputs.keys()
    protected = tuple(sorted({*wanted.protect_inputs, *secret}))
    return replace(wanted, connection=connection, protect_inputs=protected)


def _flow(asked: Asked, word: str) -> Flow:
    flow = asked.services.flows.find(word)
    if flow is None:
        raise not_found(f'there is no flow "{word[:253]}" in namespace {asked.services.namespace}')
    return flow


def _target(asked: Asked, arguments: CachedArguments) -> object:
    if arguments.flow is not None:
        return ("flow", _flow(asked, arguments.flow))
    if arguments.script is not None:
        return ("script", arguments.script)
    connections = asked.services.connections
    return ("connection", connections.target(arguments.connector, arguments.connector_type))


def _target_of(execution: Execution) -> object:
    spec = execution.spec
    if spec.flow is not None:
        return ("flow", spec.flow)
    if spec.connection is not None:
        return ("connection", (spec.connection.connector, spec.connection.type))
    return ("script", spec.script)


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
