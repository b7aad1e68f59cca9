"""Runs cases without a cluster."""

from __future__ import annotations

import threading
from dataclasses import fields, replace

from pydantic.alias_generators import to_snake

from tests.conformance.cases import Case, Step, shared_flows
from tests.conformance.outcomes import Outcome, outcome
from weir.api.resource import JsonObject
from weir_local import Flow, Flows, Local, flow
from weir_local.execution import Execution
from weir_local.people import ScriptedPeople
from weir_local.world import World
from weir_protocol import LogLine

# Flows know these of a spec; the others (retries, Pods) are a cluster's affair.
_KNOWN = {field.name for field in fields(Flow)} - {"name", "title", "script", "path", "handler"}


class Outside:
    """Does what a case says is done from outside, when the log says so."""

    def __init__(self, steps: tuple[Step, ...]) -> None:
        self._steps = list(steps)
        self._seen: set[str] = set()
        self.local: Local | None = None

    def heard(self, execution: Execution, line: LogLine) -> None:
        """Look at a line of a log. Called in the thread that logs it."""
        self._seen.add(line.text)
        while self._steps and self._steps[0].when in self._seen:
            step = self._steps.pop(0)
            # Held until it is done: time does not pass meanwhile.
            self._world.attach()
            # A thread of its own: whoever acts from outside does not wait for the script.
            threading.Thread(target=self._act, args=(step.do, execution)).start()

    @property
    def _world(self) -> World:
        assert self.local is not None
        return self.local.world

    def _act(self, what: str, execution: Execution) -> None:
        world = self._world
        try:
            {"cancel": world.cancel, "pause": world.pause, "resume": world.resume}[what](execution)
        finally:
            world.detach()


def run(case: Case) -> Outcome:
    """Run a case and return how it ended."""
    known = Flows()
    for name, spec in {**shared_flows(), **case.flows}.items():
        known.add(_flow(name, spec))
    outside = Outside(case.during)
    local = Local(
        known,
        people=ScriptedPeople(dict(case.answers)),
        skip_time=True,
        listen=outside.heard if case.during else None,
    )
    outside.local = local
    result = local.run(_flow(case.name, {**case.spec, "script": case.script}), case.inputs)
    return outcome(
        status=result.status,
        reason=None if result.is_success else result.reason,
        message=result.message,
        outputs=result.outputs,
        log=[line.text for line in result.entries if line.stream in ("log", "stdout")],
        children=[
            child.status for child in result.children if child.uid not in local.world.deleted
        ],
        namespace=local.services.namespace,
    )


def _flow(name: str, spec: JsonObject) -> Flow:
    known = {to_snake(key): value for key, value in spec.items()}
    made = flow(known["script"], known.get("title", name))
    return replace(made, **{key: value for key, value in known.items() if key in _KNOWN})
