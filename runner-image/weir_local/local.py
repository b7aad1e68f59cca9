"""Running flows in this process: what `weir_local.run`, the tests and the command use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from flow_api._values import checked_object
from weir_local.clock import Clock
from weir_local.connections import Connections, RealConnections
from weir_local.errors import LocalError, NothingHappens
from weir_local.execution import Execution, Spec
from weir_local.flows import Flow, Flows, Source, flow
from weir_local.people import People, ScriptedPeople
from weir_local.result import Result, result_of
from weir_local.running import Runner
from weir_local.services import Services
from weir_local.world import GRACE, World
from weir_protocol import LogLine
from weir_protocol.arguments import JsonObject


class Local:
    """A place where flows run.

    Parameters:
        flows: Those that scripts find by name.
        connections: Where connections come from; default: they are made for real.
        people: Who answers messages; default: nobody.
        skip_time: Whether sleeps and waits pass at once, where nobody does anything else.
        listen: Hears each line of every log, in the thread that logs it.
        mode: Whether the runs count.
        grace: Seconds that a cancelled script has for its clean-up.
    """

    def __init__(
        self,
        flows: Flows | None = None,
        *,
        connections: Connections | None = None,
        people: People | None = None,
        skip_time: bool = False,
        listen: Callable[[Execution, LogLine], None] | None = None,
        mode: Literal["Productive", "Development"] = "Productive",
        grace: float = GRACE,
    ) -> None:
        self.world = World(Clock(skips=skip_time), grace=grace)
        self.flows = flows if flows is not None else Flows()
        self.services = Services(
            world=self.world,
            flows=self.flows,
            connections=connections if connections is not None else RealConnections(),
            people=people if people is not None else ScriptedPeople(),
            listen=listen,
        )
        self._mode = mode
        self.world.starts = Runner(self.services).start

    def run(
        self, target: Source | Flow, inputs: JsonObject | None = None, *, title: str | None = None
    ) -> Result:
        """Run a flow, wait until it and all that it started has ended, and return what became of
        it.

        Parameters:
            target: A flow; the name of one; a file; the text of a script; a function.
            inputs: Its inputs, a JSON object.
            title: What people call the run.

        Raises:
            LocalError: There is no such flow.
            NothingHappens: All that runs waits for what will never come.
        """
        root = self.start(target, inputs, title=title)
        return self.wait(root)

    def start(
        self, target: Source | Flow, inputs: JsonObject | None = None, *, title: str | None = None
    ) -> Execution:
        """Start a flow and return its execution without waiting. Raises LocalError."""
        given = checked_object(inputs, "inputs")
        spec = replace(self._target(target), inputs=given, title=title)
        root = self.world.make_root(spec, self._mode)
        self.world.start(root)
        return root

    def wait(self, root: Execution) -> Result:
        """Wait until an execution and all below it has ended, and return what became of it.

        Raises:
            NothingHappens: All that runs waits for what will never come.
            KeyboardInterrupt: It was cancelled because of it.
        """
        try:
            self.world.wait(lambda: True if _is_over(root) else None)
        except NothingHappens as error:
            if not root.is_final:
                error.result = self.result(root)
                self._give_up(root)
                raise
        except KeyboardInterrupt:
            self._give_up(root)
            raise
        with self.world.lock:
            return result_of(root, self.world.clock.now())

    def passes(self, root: Execution, seconds: float) -> bool:
        """Let so many seconds pass, or fewer if all has ended; return whether it has.

        Raises:
            NothingHappens: All that runs waits for what will never come, and is still there.
        """
        deadline = self.world.clock.now() + seconds
        over = self.world.wait(lambda: True if _is_over(root) else None, deadline=deadline)
        return over is not None

    def result(self, root: Execution) -> Result:
        """Return what has become of an execution so far."""
        with self.world.lock:
            return result_of(root, self.world.clock.now())

    def close(self) -> None:
        """Cancel what still runs, and wait until it has ended."""
        for root in [one for one in self.world.executions.values() if one.parent is None]:
            self._give_up(root)

    def _give_up(self, root: Execution) -> None:
        self.world.cancel(root)
        for child in root.children:
            self._give_up(child)
        self.world.wait(lambda: True if root.is_final else None)

    def _target(self, target: Source | Flow) -> Spec:
        if isinstance(target, Flow):
            return Spec(flow=target)
        if isinstance(target, str) and "\n" in target:
            return Spec(script=target)
        found = self.flows.find(target) if isinstance(target, str) else None
        if found is not None:
            return Spec(flow=found)
        if isinstance(target, str) and not target.endswith(".py"):
            known = ", ".join(one.title for one in self.flows) or "none"
            raise LocalError(f"there is no flow {target!r}; there are: {known}")
        return Spec(flow=flow(target))


def run(
    target: Source | Flow,
    inputs: JsonObject | None = None,
    flows: dict[str, Source] | None = None,
    *,
    connections: Connections | None = None,
    skip_time: bool = True,
) -> Result:
    """Run a flow in this process; the arguments are those of `Local` and `Local.run`.

    Parameters:
        flows: What scripts find by name: files, texts of scripts, functions.
    """
    known = Flows()
    for title, source in (flows or {}).items():
        known.add(flow(source, title))
    return Local(known, connections=connections, skip_time=skip_time).run(target, inputs)


def _is_over(execution: Execution) -> bool:
    return execution.is_final and all(_is_over(child) for child in execution.children)
