"""What must hold whatever happens, in a small world in which decisions are carried out."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import NOW, execution, flow
from weir.api import names
from weir.api.execution import Execution
from weir.api.execution_status import ExecutionStatus
from weir.api.phases import DesiredState, Phase
from weir.api.reasons import Reason
from weir.core import retries
from weir.core.actions import Action, DeletePod, LookAgain, Move, Nothing, RequestCancel, StartPod
from weir.core.decisions import next_action
from weir.core.moves import move
from weir.core.observed import Limits, Observed, Obstacle, Parent, Plan
from weir.core.pod_state import ABSENT, PodPhase, PodState
from weir.core.queueing import Place

OBSTACLES = [
    None,
    Obstacle(reason=Reason.FLOW_NOT_FOUND, message="why", patience=timedelta(seconds=60)),
    Obstacle(reason=Reason.FLOW_SUSPENDED, message="why"),
    Obstacle(reason=Reason.FLOW_NOT_READY, message="why", silent=True),
]


@dataclass
class World:
    """One Execution, its Pods, and what the operator remembers: the actions change it."""

    run: Execution
    plan: Plan
    place: Place = Place.FREE
    parent: Parent = Parent.NONE
    pods: dict[str, PodState] = field(default_factory=dict)  # by name
    now: datetime = NOW
    silent: tuple[str, datetime] | None = None
    cancel_since: datetime | None = None
    left_children: int = 0
    made: list[tuple[int, str]] = field(default_factory=list)  # attempt and name of each Pod
    phases: list[Phase] = field(default_factory=list)

    def observe(self) -> Observed:
        runner = self.run.status.runner
        named = [pod for pod in self.pods.values() if runner and pod.uid == runner.pod_uid]
        pod = named[0] if named else ABSENT
        is_silent = pod.phase in (PodPhase.ENDED, PodPhase.LOST, PodPhase.ABSENT)
        if runner and is_silent and (self.silent or ("",))[0] != runner.pod_uid:
            self.silent = (runner.pod_uid, self.now)
        if self.run.spec.desired_state == DesiredState.CANCELLED:
            self.cancel_since = self.cancel_since or self.now
        coming = names.pod_name(
            self.run.metadata.name, self.run.uid, (self.run.status.attempt or 0) + 1
        )
        final = self.run.phase.is_final
        strays = [
            one for one in self.pods.values() if one is not pod and (final or one.name != coming)
        ]
        return Observed(
            execution=self.run,
            plan=self.plan,
            pod=pod,
            strays=tuple(strays),
            parent=Parent.NONE if final else self.parent,
            place=self.place,
            cancel_since=self.cancel_since,
            silent_since=self.silent[1] if self.silent else None,
            left_children=self.left_children if self.run.status.next_try_time else 0,
        )

    def do(self, action: Action) -> None:
        match action:
            case LookAgain(at=at):
                assert at > self.now, "a look that is due now must do something"
                self.now = at
            case DeletePod(pod=name):
                del self.pods[name]
            case RequestCancel():
                assert self.run.spec.desired_state != DesiredState.CANCELLED
                self.desire(DesiredState.CANCELLED)
            case StartPod(attempt=attempt):
                self.start(action, attempt)
            case Move():
                self.write(action.phase, action.reason, action.message, action.fields)

    def start(self, action: StartPod, attempt: int) -> None:
        name = names.pod_name(self.run.metadata.name, self.run.uid, attempt)
        if name not in self.pods:
            self.pods[name] = PodState(phase=PodPhase.WAITING, name=name, uid=f"uid-{name}")
            self.made.append((attempt, name))
        fields = {
            "attempt": attempt,
            "losses": action.losses or None,
            "try_number": retries.number_of(self.run.status),
            "next_try_time": None,
            "runner": {"pod": name, "podUID": f"uid-{name}"},
            "starting_time": self.now,
            "flow": self.plan.title,
        }
        self.write(Phase.STARTING, action.reason, action.message, fields)

    def write(
        self, phase: Phase, reason: Reason | None, message: str | None, fields: dict[str, Any]
    ) -> None:
        move(self.run, phase, now=self.now, reason=reason, message=message)  # legal, or it raises
        status = self.run.status.model_dump() | fields | {"phase": phase, "reason": reason}
        status |= {"message": message}
        if phase.is_final:
            status["completion_time"] = self.now
        self.run = self.run.model_copy(update={"status": ExecutionStatus.model_validate(status)})
        self.phases.append(phase)

    def desire(self, state: DesiredState) -> None:
        spec = self.run.spec.model_copy(update={"desired_state": state})
        self.run = self.run.model_copy(update={"spec": spec})

    def settle(self, seconds: float | None = None) -> None:
        """Do what is decided, for so long or (None) until nothing is left but to wait for news."""
        until = None if seconds is None else self.now + timedelta(seconds=seconds)
        for _ in range(200):
            action = next_action(self.observe(), self.now)
            if isinstance(action, LookAgain) and until is not None and action.at > until:
                self.now = until
                return
            if isinstance(action, Nothing):
                self.now = until or self.now
                return
            before = (self.run.phase, self.run.status.attempt)
            tried = retries.number_of(self.run.status)
            self.do(action)
            assert (self.run.status.attempt or 0) >= (before[1] or 0)
            assert tried <= retries.number_of(self.run.status) <= tried + 1
            assert (self.run.status.losses or 0) <= Limits().max_attempts
            if before[0].is_final:
                assert self.run.phase == before[0]
        raise AssertionError(f"it goes round in circles: {action}")


POD_PHASES = st.sampled_from([phase for phase in PodPhase if phase != PodPhase.ABSENT])
PODS = st.builds(
    PodState,
    phase=POD_PHASES,
    has_run=st.booleans(),
    exit_code=st.sampled_from([0, 1, 75, 137]),
    out_of_memory=st.booleans(),
    memory_limited=st.booleans(),
    cannot_run=st.booleans(),
    trouble=st.sampled_from([None, "no cpu"]),
)
EVENTS = st.one_of(
    st.tuples(st.just("pod"), PODS),
    st.tuples(st.just("pod gone"), st.none()),
    st.tuples(st.just("desire"), st.sampled_from(DesiredState)),
    st.tuples(st.just("parent"), st.sampled_from(Parent)),
    st.tuples(st.just("place"), st.sampled_from(Place)),
    st.tuples(st.just("obstacle"), st.sampled_from(OBSTACLES)),
    st.tuples(st.just("report"), st.sampled_from([Phase.RUNNING, Phase.WAITING, Phase.SUCCEEDED])),
    st.tuples(st.just("script fails"), st.sampled_from(sorted(retries.RETRIED))),
    st.tuples(st.just("children left"), st.integers(0, 2)),
    st.tuples(st.just("operator dies after making a Pod"), st.none()),
)

# What happens, and how long it is until the next thing does.
HISTORY = st.lists(st.tuples(EVENTS, st.sampled_from([0, 0.5, 2.5, 30])), max_size=16)


def happen(world: World, event: tuple[str, Any]) -> None:
    what, value = event
    runner = world.run.status.runner
    current = runner.pod if runner else None
    match what:
        case "pod" if current in world.pods:
            old = world.pods[current]
            world.pods[current] = replace(
                value,
                name=old.name,
                uid=old.uid,
                started=world.now,
                gone_by=world.now + timedelta(seconds=15),
            )
        case "pod gone" if current in world.pods:
            del world.pods[current]
        case "desire" if world.run.spec.desired_state != DesiredState.CANCELLED:
            world.desire(value)
        case "parent":
            world.parent = value
        case "place":
            world.place = value
        case "obstacle":
            world.plan = replace(world.plan, obstacle=value)
        case "report" if current in world.pods and world.run.phase.can_move_to(value):
            world.write(value, None, None, {"start_time": world.now})
        case "script fails" if current in world.pods and world.run.phase.holds_pod:
            fails(world, value)
        case "children left":
            world.left_children = value
        case "operator dies after making a Pod":
            action = next_action(world.observe(), world.now)
            if isinstance(action, StartPod):
                before = world.run
                world.start(action, action.attempt)
                world.run = before  # the status was never written
                world.silent = None


def fails(world: World, reason: Reason) -> None:
    """The server writes what the script's end makes of the run."""
    policy = world.plan.spec.retry if world.plan.spec else None
    again = retries.another_try(
        world.run,
        policy,
        reason=reason,
        message="boom",
        began=world.now,
        deadline=world.run.status.deadline,
        now=world.now,
    )
    if again is None:
        world.write(Phase.FAILED, reason, "boom", {})
    else:
        world.write(again.phase, again.reason, again.message, again.fields)


@settings(max_examples=400, deadline=None)
@given(
    events=HISTORY,
    repeatable=st.booleans(),
    on_lost=st.sampled_from(["Resume", "Fail"]),
    timeout=st.sampled_from([None, "1m"]),
    limit=st.integers(0, 2),
)
def test_whatever_happens_moves_are_legal_and_it_settles(
    events: list[tuple[tuple[str, Any], float]],
    repeatable: bool,
    on_lost: str,
    timeout: str | None,
    limit: int,
) -> None:
    retry = {"limit": limit, "delay": "20s"}
    spec = flow(onRunnerLost=on_lost, retry=retry, **({"timeout": timeout} if timeout else {})).spec
    world = World(run=execution(), plan=Plan(title="hello", spec=spec, repeatable=repeatable))
    for event, seconds in events:
        happen(world, event)
        world.settle(seconds)
    world.settle()

    assert len({attempt for attempt, _ in world.made}) == len(world.made), "one Pod an attempt"
    assert not any(phase.is_final for phase in world.phases[:-1]), "a final phase is never left"
    assert retries.number_of(world.run.status) <= limit + 1, "no more tries than allowed"


@settings(max_examples=200, deadline=None)
@given(events=HISTORY)
def test_two_looks_do_what_one_does(events: list[tuple[tuple[str, Any], float]]) -> None:
    world = World(run=execution(), plan=Plan(title="hello", spec=flow().spec))
    for event, seconds in events:
        happen(world, event)
        seen = world.observe()
        assert next_action(seen, world.now) == next_action(seen, world.now)
        world.settle(seconds)
        world.settle(0)
        settled = (world.run, dict(world.pods))
        world.settle(0)
        assert (world.run, world.pods) == settled


@given(events=HISTORY)
@settings(max_examples=200, deadline=None)
def test_a_cancelled_run_ends_and_leaves_no_pod(
    events: list[tuple[tuple[str, Any], float]],
) -> None:
    world = World(run=execution(), plan=Plan(title="hello", spec=flow().spec))
    for event, seconds in events:
        happen(world, event)
        world.settle(seconds)
    world.desire(DesiredState.CANCELLED)
    world.settle()

    assert world.run.phase.is_final
    assert all(pod.phase == PodPhase.DELETING for pod in world.pods.values())
