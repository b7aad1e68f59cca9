"""Whatever comes between, a run that gives its Pod back ends as it would have in one Pod."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import execution, flow
from tests.unit.core.test_properties import World
from weir.api.execution_status import ExecutionStatus
from weir.api.phases import DesiredState, Phase
from weir.core import hibernation
from weir.core.actions import LookAgain, Nothing, StartPod
from weir.core.decisions import next_action
from weir.core.moves import StatusChange
from weir.core.observed import Plan
from weir.core.pod_state import PodPhase, PodState

OPERATIONS = 3  # waits of the script, one after the other


@dataclass
class Sleeping(World):
    """A run whose script waits three times, its journal, and what it waits for."""

    came: set[int] = field(default_factory=set)  # what was waited for and is there
    asked: set[int] = field(default_factory=set)  # intents in the journal
    results: list[int] = field(default_factory=list)  # in the journal, in order
    given_back: int = 0

    @property
    def position(self) -> int:
        """The operation that the script stands in, or comes to when it runs again."""
        return len(self.results)

    @property
    def current(self) -> PodState | None:
        """The Pod that may speak for the run."""
        runner = self.run.status.runner
        pod = self.pods.get(runner.pod) if runner else None
        return pod if pod is not None and pod.phase == PodPhase.RUNNING else None

    def apply(self, change: StatusChange | None) -> None:
        """Write a change of the server's."""
        if change is None:
            return
        status = self.run.status.dump()
        for name, value in change.fields.items():
            if value is None:
                status.pop(name, None)
            else:
                status[name] = value
        self.run = self.run.model_copy(update={"status": ExecutionStatus.model_validate(status)})
        self.phases.append(self.run.phase)

    # What may happen at any moment

    def operator_looks(self) -> bool:
        action = next_action(self.observe(), self.now)
        if isinstance(action, Nothing):
            return False
        if isinstance(action, StartPod):
            assert action.losses == 0, "a Pod that was given back is no lost one"
        if isinstance(action, LookAgain):  # time passes in small steps: no start takes too long
            left = action.at - self.now
            self.now += min(left, timedelta(seconds=1))
            return left < timedelta(minutes=1)
        self.do(action)
        return True

    def operator_dies_after_making_a_pod(self) -> bool:
        action = next_action(self.observe(), self.now)
        if isinstance(action, StartPod):
            before = self.run
            self.start(action, action.attempt)
            self.run = before
        return False

    def pod_runs(self) -> bool:
        """The kubelet starts it; the script does all again, and stands where it has no record."""
        runner = self.run.status.runner
        pod = self.pods.get(runner.pod) if runner else None
        if pod is None or pod.phase != PodPhase.WAITING:
            return False
        self.pods[pod.name] = replace(pod, phase=PodPhase.RUNNING, has_run=True)
        if self.run.phase == Phase.STARTING:
            self.write(Phase.WAITING, None, None, {"start_time": self.now})
        if self.position < OPERATIONS:
            self.asked.add(self.position)
        return True

    def answered_in_the_pod(self) -> bool:
        """The held operation is over: it is recorded, and the script goes on or ends."""
        if self.current is None or self.run.phase not in (Phase.WAITING, Phase.RUNNING):
            return False
        if self.run.spec.desired_state == DesiredState.PAUSED:
            self.write(Phase.PAUSED, None, None, {"paused_at": self.now})
            return True
        if self.position in self.asked:
            if self.position not in self.came:
                return False
            self.record()
        if self.position < OPERATIONS:
            self.asked.add(self.position)
        else:
            self.write(Phase.SUCCEEDED, None, None, {})
        return True

    def recorded_but_not_answered(self) -> bool:
        """The answer is lost on its way."""
        if self.current is None or self.position not in self.asked & self.came:
            return False
        self.record()
        return True

    def resumed_in_the_pod(self) -> bool:
        paused = self.run.phase == Phase.PAUSED
        if self.current is None or not paused or self.to_be(DesiredState.PAUSED):
            return False
        self.write(Phase.WAITING, None, None, {"paused_at": None})
        return True

    def gives_back(self) -> bool:
        if self.current is None:
            return False
        change = hibernation.given_back(self.run, now=self.now)
        self.given_back += change is not None
        self.apply(change)
        return change is not None

    def process_leaves(self) -> bool:
        """What is left in Pods that nobody names ends."""
        runner = self.run.status.runner
        left = [
            pod
            for pod in self.pods.values()
            if pod.phase == PodPhase.RUNNING and not (runner and runner.pod == pod.name)
        ]
        for pod in left:
            self.pods[pod.name] = replace(pod, phase=PodPhase.ENDED, exit_code=0)
        return bool(left)

    def server_looks(self) -> bool:
        """A server, perhaps one of a moment ago, looks at runs without a Pod."""
        change = hibernation.woken(self.run, now=self.now)
        if change is None:
            return False
        if self.position in self.asked:
            if self.position not in self.came:
                return False
            self.record()
        self.apply(change)
        return True

    def server_dies_before_it_wakes(self) -> bool:
        """The result is recorded; the status is not written."""
        if hibernation.woken(self.run, now=self.now) is None:
            return False
        if self.position not in self.asked & self.came:
            return False
        self.record()
        return True

    def something_comes(self) -> bool:
        if self.position >= OPERATIONS or self.position in self.came:
            return False
        self.came.add(self.position)
        return True

    def pause(self) -> bool:
        self.desire(DesiredState.PAUSED)
        return False

    def resume(self) -> bool:
        changed = self.to_be(DesiredState.PAUSED)
        self.desire(DesiredState.RUNNING)
        return changed

    def to_be(self, state: DesiredState) -> bool:
        return self.run.spec.desired_state == state

    def record(self) -> None:
        self.results.append(self.position)


Event: TypeAlias = Callable[[Sleeping], bool]

EVENTS: list[Event] = [
    Sleeping.operator_looks,
    Sleeping.operator_dies_after_making_a_pod,
    Sleeping.pod_runs,
    Sleeping.answered_in_the_pod,
    Sleeping.recorded_but_not_answered,
    Sleeping.resumed_in_the_pod,
    Sleeping.gives_back,
    Sleeping.process_leaves,
    Sleeping.server_looks,
    Sleeping.server_dies_before_it_wakes,
    Sleeping.something_comes,
    Sleeping.pause,
    Sleeping.resume,
]
# What goes on by itself, sooner or later.
PROGRESS: list[Event] = [
    Sleeping.resume,
    Sleeping.operator_looks,
    Sleeping.pod_runs,
    Sleeping.resumed_in_the_pod,
    Sleeping.process_leaves,
    Sleeping.server_looks,
    Sleeping.answered_in_the_pod,
    Sleeping.something_comes,
]


@settings(max_examples=200, deadline=None)
@given(events=st.lists(st.sampled_from(EVENTS), max_size=40))
def test_whatever_comes_between_a_run_ends_with_each_result_once(events: list[Event]) -> None:
    world = Sleeping(run=execution(), plan=Plan(title="hello", spec=flow().spec))
    for event in events:
        event(world)
    for _ in range(200):
        if not sum(event(world) for event in PROGRESS):
            break

    assert world.run.phase == Phase.SUCCEEDED
    assert world.results == list(range(OPERATIONS))
    assert (world.run.status.hibernations or 0) == world.given_back
    assert not world.run.status.losses
    assert len({attempt for attempt, _ in world.made}) == len(world.made), "one Pod an attempt"
    world.settle()
    assert not world.pods


@settings(max_examples=100, deadline=None)
@given(events=st.lists(st.sampled_from(EVENTS), max_size=40))
def test_whenever_it_is_cancelled_it_ends_and_leaves_no_pod(events: list[Event]) -> None:
    world = Sleeping(run=execution(), plan=Plan(title="hello", spec=flow().spec))
    for event in events:
        event(world)
    world.desire(DesiredState.CANCELLED)
    world.settle()

    assert world.run.phase.is_final
    assert not world.pods
