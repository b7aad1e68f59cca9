"""Any point at which a Pod may be lost: the next attempt ends as if nothing had happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.runner.fakes import FakeDeparture, FakeServer, Left, assignment, new_interrupts
from weir_protocol import Operation
from weir_runner.session import Run

# What a script may do, as lines of its handler; `{n}` is the step's number.
STEPS = {
    "a child": "this.log(this.flow('greet', person='{n}').get('output_value'))",
    "a child that fails": """
try:
    this.flow('may fail')
except flow_api.DependencyFailedError as error:
    this.log('caught', str(error))
""",
    "children side by side": """
both = [this.flow('greet', wait=False, person=name) for name in 'ab']
this.wait_for(both)
""",
    "a sleep": "this.sleep({n})",
    "a function that is called once": """
value = this.once(roll)
this.log('rolled', value)
this.set_output('rolled {n}', value)
""",
    "a function that raises once": """
try:
    this.once(refuse)
except KeyError as error:
    this.log('refused', error)
""",
    "chance": "this.set_output('chance {n}', random.random())",
    "a log line": "this.log('step {n}')",
    "a print": "print('printed', {n})",
    "a save": "this.save(message='step {n}')",
    "its children": "this.set_output('children {n}', len(this.children()))",
    "a retry": "this.using('retry', max_tries=2, delay_sec=0).flow('greet', person='r')",
}

HEAD = """\
import random
import flow_api

def roll():
    print('rolling')
    return [1, 'a', None]

def refuse():
    raise KeyError('no')

def handler(system, this):
"""


def script_of(steps: Sequence[str]) -> str:
    """Return a script that takes these steps."""
    lines = [
        f"    {line}"
        for number, step in enumerate(steps, start=1)
        for line in STEPS[step].strip().replace("{n}", str(number)).split("\n")
    ]
    return HEAD + "\n".join([*lines, "    return this.success('all done')"]) + "\n"


@dataclass(frozen=True)
class Loss:
    """A Pod dies at its request number `request`; with `heard` the server has done what it
    asked.
    """

    request: int
    heard: bool


class Mortal(FakeServer):
    """A server that outlives its runners, and what it has of them."""

    def __init__(self) -> None:
        super().__init__()
        self.loss: Loss | None = None
        self.requests = 0
        self.is_lost = False

    def next_attempt(self, loss: Loss | None) -> None:
        """Another Pod takes over; it dies as said, or not."""
        self.loss, self.requests, self.is_lost = loss, 0, False

    def post(self, path: str, message: Any) -> dict[str, Any] | None:
        # A dead Pod's script may go on in this process: nobody hears of it.
        if self.is_lost:
            raise Left(137)
        self.requests += 1
        if self.loss is None or self.requests != self.loss.request:
            return super().post(path, message)
        self.is_lost = True
        if self.loss.heard:
            super().post(path, message)
        raise Left(137)

    def _answer(self, operation: Operation) -> dict[str, Any]:
        answer = super()._answer(operation)
        if answer["state"] == "open":
            del self._answers[operation.sequence]
        return answer

    def outcome(self) -> object:
        """Return all that is left of the run."""
        lines = {(line.after, line.index): line.text for line in reversed(self.logs)}
        end = self.ends[0]
        return (
            (end.status, end.message, end.outputs),
            [child.flow_name for child in self.backend.children.values()],
            [lines[key] for key in sorted(lines)],
            [self.operations[number].kind for number in sorted(self.operations)],
        )


def outcome_with(script: str, losses: Sequence[Loss]) -> object:
    """Run a script to its end, with Pods lost on the way."""
    server = Mortal()
    for number, loss in enumerate([*losses, None], start=1):
        server.next_attempt(loss)
        work = assignment(script, attempt=number, resumed=number > 1)
        with pytest.raises(Left):
            Run(work, server, FakeDeparture(), new_interrupts()).do()
        if server.ends:
            break
    return server.outcome()


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=6),
    losses=st.lists(st.builds(Loss, st.integers(1, 25), st.booleans()), min_size=1, max_size=3),
)
def test_a_run_that_loses_pods_ends_as_one_that_does_not(
    steps: list[str], losses: list[Loss]
) -> None:
    script = script_of(steps)
    assert outcome_with(script, losses) == outcome_with(script, [])


@pytest.mark.parametrize("step", sorted(STEPS))
def test_every_request_may_be_the_last_of_a_pod(step: str) -> None:
    script = script_of([step, "a log line"])
    whole = outcome_with(script, [])
    for request in range(1, 12):
        for heard in (False, True):
            assert outcome_with(script, [Loss(request, heard)]) == whole
