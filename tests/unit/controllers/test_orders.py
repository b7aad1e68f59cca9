"""Any order of concurrent pause, cancel and finish ends in one legal final phase.

The operator is whole, and so are the parts of the server that write statuses. Each has its own,
possibly old, view of one cluster in memory, which refuses writes that were decided on an old one.
"""

from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, TypeVar, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import execution_object, flow_object
from tests.unit.controllers.harness import Harness
from weir.api.execution import Execution
from weir.api.phases import NEXT, DesiredState, Phase
from weir.api.reasons import Reason
from weir.api.resource import JsonObject, render_time
from weir.cluster.kinds import EXECUTIONS, FLOWS, PODS
from weir.controllers.queue import Target
from weir.core import hibernation
from weir.core.moves import StatusChange, move
from weir.core.waiting import Activity, shown
from weir.server.flows import Revisions
from weir.server.hibernation import Hibernation
from weir.server.identity import Caller
from weir.server.live import Executions
from weir.server.pausing import Pausing
from weir.server.presence import start_fields
from weir.server.refusals import Refused
from weir.server.reports import Reports
from weir.server.runs import Run, Runs, attempt_of
from weir.server.statuses import Statuses
from weir_protocol import End

Answer = TypeVar("Answer")
UID = "execution-run"
RUN = Target("execution", "demo", "run")
ENDS = {
    "success": (Phase.SUCCEEDED, None),
    "error": (Phase.FAILED, Reason.SCRIPT_ERROR),
    "diverged": (Phase.FAILED, Reason.DIVERGED),
    "cancelled": (Phase.CANCELLED, Reason.CANCELLED),
}
# What a script does that is told to stop: it obeys, ends otherwise, or does not hear it.
STUBBORN = [*ENDS, None]


def at_once(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Return what a coroutine returns that has nothing to wait for."""
    try:
        work.send(None)
    except StopIteration as done:
        return cast("Answer", done.value)
    work.close()
    raise AssertionError("it waits")


class _Database:
    """No journal: each Pod may write, so that the status alone decides which one still counts."""

    identity = "the-journal"

    async def write(self, work: object) -> None:
        """Keep nothing."""

    async def read(self, work: object) -> None:
        """Know nothing."""


class _Presence:
    """Which run does what is said by the world instead."""

    def ended(self, uid: str) -> None:
        """Forget nothing."""

    def assigned(self, uid: str) -> datetime | None:
        """Know nothing."""

    def waited(self, uid: str) -> None:
        """Know nothing."""


@dataclass
class Process:
    """A runner. It may outlive its Pod in the cluster: its node does not answer any more."""

    caller: Caller
    try_number: int
    attempt: int
    since: datetime
    waits: bool = False

    def end(self, status: str) -> End:
        reason = ENDS[status][1]
        return End(
            uid=UID,
            try_number=self.try_number,
            attempt=self.attempt,
            status=cast("Any", "error" if status == "diverged" else status),
            reason=str(reason or ""),
            message=status,
        )


@dataclass
class World:
    """People, script, server, operator and nodes around one Execution."""

    operator: Harness
    retries: int
    now: datetime = field(init=False)
    known: Executions = field(default_factory=Executions)  # what the server has seen
    processes: dict[str, Process] = field(default_factory=dict)  # by Pod UID
    accepted: list[str] = field(default_factory=list)  # ends that the server took
    versions: list[Execution] = field(default_factory=list)
    noted: int = 0  # how much of the cluster's news was looked at

    def __post_init__(self) -> None:
        self.now = self.operator.now
        cluster = self.operator.cluster
        retry = {"limit": self.retries, "delay": "1s"}
        cluster.put(FLOWS, flow_object(ready=None, hibernateAfter="1s", retry=retry))
        at_once(self.operator.settle())
        runtime = cast(
            "Any",
            SimpleNamespace(
                cluster=cluster,
                database=_Database(),
                executions=self.known,
                now=lambda: self.now,
                timestamp=lambda: self.now.timestamp(),
                stopping=SimpleNamespace(is_set=lambda: False),
            ),
        )
        presence = cast("Any", _Presence())
        revisions = Revisions(cluster)
        self.statuses = Statuses(runtime)
        self.pausing = Pausing(runtime, self.statuses)
        self.hibernation = Hibernation(runtime, self.statuses, revisions, presence)
        self.runs = Runs(runtime, self.statuses)
        values = cast("Any", None)  # without schemas of outputs, no value is read
        self.reports = Reports(runtime, self.runs, self.statuses, values, presence, revisions)
        cluster.put(EXECUTIONS, execution_object("run"))
        self.note()
        self.server_sees()

    @property
    def run(self) -> Execution:
        """The Execution as it is."""
        self.note()
        return self.versions[-1]

    @property
    def pods(self) -> list[JsonObject]:
        return self.operator.cluster.all(PODS)

    def note(self) -> None:
        """Look at what was written since the last time."""
        for kind, item, _ in self.operator.cluster.news[self.noted :]:
            if kind == EXECUTIONS:
                self.check(Execution.model_validate(item))
        self.noted = len(self.operator.cluster.news)

    def check(self, new: Execution) -> None:
        old = self.versions[-1] if self.versions else new
        self.versions.append(new)
        assert new.phase == old.phase or new.phase in NEXT[old.phase]
        assert new.status.reason != Reason.ILLEGAL_MOVE, new.status.message
        assert (new.status.attempt or 0) >= (old.status.attempt or 0)
        assert (new.status.try_number or 1) >= (old.status.try_number or 1)
        if old.spec.desired_state == DesiredState.CANCELLED:
            assert new.spec.desired_state == DesiredState.CANCELLED
        if old.phase.is_final:
            assert new.status == old.status, "what has ended does not change"

    # People, and the script by its own `pause` and `cancel`

    def desire(self, state: DesiredState) -> None:
        if self.run.spec.desired_state != DesiredState.CANCELLED:  # the CRD's rule
            self.operator.cluster.change(EXECUTIONS, "run", {"spec": {"desiredState": str(state)}})

    # Nodes

    def pod(self, what: str) -> None:
        """Something happens to the newest Pod."""
        if not self.pods:
            return
        pod = self.pods[-1]
        name, has_ended = pod["metadata"]["name"], "phase" in pod.get("status", {})
        state: JsonObject
        match what:
            case "starts" if not has_ended:
                state = {"running": {"startedAt": render_time(self.now)}}
                self._write_pod(name, "Running", state)
            case "exits":
                state = {"terminated": {"exitCode": 1, "reason": "Error"}}
                self._write_pod(name, "Failed", state)
                self.processes.pop(pod["metadata"]["uid"], None)
            case "is lost":
                self.operator.cluster.take(PODS, name)

    def _write_pod(self, name: str, phase: str, state: JsonObject) -> None:
        containers = [{"name": "runner", "state": state}]
        status = {"phase": phase, "containerStatuses": containers}
        self.operator.cluster.change(PODS, name, {"status": status})

    # The server

    def server_sees(self) -> None:
        self.known.feed(self.run)

    def assign(self) -> None:
        """The newest Pod's process asks for its work."""
        if not self.pods or self.pods[-1].get("status", {}).get("phase") != "Running":
            return
        metadata = self.pods[-1]["metadata"]
        execution = self.known.by_pod(metadata["uid"])
        if execution is None or execution.phase.is_final or metadata["uid"] in self.processes:
            return
        status = execution.status
        caller = Caller("token", "demo", metadata["name"], metadata["uid"])
        self.processes[caller.pod_uid] = Process(
            caller, status.try_number or 1, status.attempt or 1, self.now
        )

    def serve(self, what: str, old: bool) -> None:
        """The server does something for a runner: the newest, or the oldest that still is there."""
        if not self.processes:
            return
        process = list(self.processes.values())[0 if old else -1]
        try:
            self._serve(what, process)
        except Refused as refused:
            if refused.status == 409:  # it ended, or is another's: the runner leaves
                self.processes.pop(process.caller.pod_uid, None)

    def _serve(self, what: str, process: Process) -> None:
        end = process.end("success")
        match what:
            case "shows":
                at_once(self.statuses.change(UID, lambda seen: self._shown(seen, process)))
            case "holds":
                run = at_once(self.runs.admitted(process.caller, end))
                at_once(self.pausing.may_go_on(run, self.now))
            case "gives back":
                at_once(self.hibernation.give_back(self._run(process)))
            case "rules out":
                at_once(self.hibernation.rule_out(self._run(process)))
            case _:
                before = self.run.status.try_number or 1
                at_once(self.reports.end(process.caller, process.end(what)))
                self.accepted.append(what)
                status = self.run.status
                again = status.phase == Phase.QUEUED and (status.try_number or 1) == before + 1
                assert again or (status.phase, status.reason) == ENDS[what]
                self.processes.pop(process.caller.pod_uid, None)

    def _run(self, process: Process) -> Run:
        execution = self.known.get(UID)
        assert execution is not None
        attempt = attempt_of(execution, process.caller, self.now.timestamp())
        return Run(execution, attempt)

    def _shown(self, execution: Execution, process: Process) -> StatusChange | None:
        if execution.is_hibernated:
            return None
        activity = Activity(process.since, process.since if process.waits else None)
        show = shown(execution.phase, activity, process.since, self.now)
        if show.phase is None:
            return None
        started = start_fields(execution, process.since, None)
        return move(execution, show.phase, now=self.now, waiting_for=None, **started)

    def wake(self) -> None:
        def change(execution: Execution) -> StatusChange | None:
            return hibernation.woken(execution, now=self.now)

        at_once(self.statuses.change(UID, change))

    def is_paused(self) -> None:
        """What seldom comes by chance: a pause that is carried out."""
        self.desire(DesiredState.PAUSED)
        self.server_sees()
        self.serve("holds", False)

    def is_cancelled(self) -> None:
        """So does a cancellation that the operator carries out, at the end of its grace."""
        self.desire(DesiredState.CANCELLED)
        for seconds in (0, 20):
            self.now += timedelta(seconds=seconds)
            self.operator_sees()
            self.operator_looks()

    def hibernates(self) -> None:
        """So does a wait whose Pod is given back."""
        for process in self.processes.values():
            process.waits, process.since = True, self.now - timedelta(seconds=2)
        self.server_sees()
        self.serve("shows", False)
        self.serve("gives back", False)

    # The operator

    def operator_sees(self) -> None:
        self.note()
        at_once(self.operator.tell())
        self.noted = 0

    def operator_looks(self) -> None:
        """One look, by what the operator knows."""
        self.operator.now = self.operator.queue.now = self.now
        at_once(self.operator.executions.look(RUN))

    # Everybody

    def do(self, what: str, value: Any) -> None:
        match what:
            case "desire":
                self.desire(value)
            case "pod":
                self.pod(value)
            case "serve":
                self.serve(*value)
            case "waits":
                for process in self.processes.values():
                    process.waits, process.since = value, self.now - timedelta(seconds=2)
            case "time":
                self.now += timedelta(seconds=value)
            case _:
                getattr(self, what)()
        self.note()

    def settle(self, stubborn: str | None) -> None:
        """Everybody acts, in turn, until nothing is left to do."""
        if self.run.spec.desired_state == DesiredState.PAUSED:
            self.do("desire", DesiredState.RUNNING)
        for _ in range(60):
            before = self.run.metadata.resource_version, len(self.pods)
            for what in ("server_sees", "operator_sees", "operator_looks"):
                self.do(what, None)
            self.do("pod", "starts")
            for what in ("server_sees", "assign", "wake"):
                self.do(what, None)
            cancelled = self.run.spec.desired_state == DesiredState.CANCELLED
            end = stubborn if cancelled else "success"
            for one in ("holds", "shows", *([end] if end else [])):
                self.do("serve", (one, False))
            self.do("time", 10)
            done = self.run.phase.is_final and not self.pods
            if done and before == (self.run.metadata.resource_version, len(self.pods)):
                return
        raise AssertionError(f"it does not end: {self.run.status}")


SERVED = ["shows", "holds", "holds", "gives back", "gives back", "rules out"]
EVENTS = st.one_of(
    st.tuples(st.just("desire"), st.sampled_from(DesiredState)),
    st.tuples(st.just("pod"), st.sampled_from(["starts", "exits", "is lost"])),
    st.tuples(st.just("serve"), st.tuples(st.sampled_from(SERVED), st.booleans())),
    st.tuples(st.just("serve"), st.tuples(st.sampled_from(SERVED), st.booleans())),
    st.tuples(st.just("serve"), st.tuples(st.sampled_from(list(ENDS)), st.booleans())),
    st.tuples(st.sampled_from(["assign", "wake", *["operator_looks"] * 3]), st.none()),
    st.tuples(st.just("waits"), st.booleans()),
    st.tuples(st.just("time"), st.sampled_from([0.5, 3, 20])),
    st.tuples(st.sampled_from(["is_paused", "hibernates"]), st.none()),
    st.tuples(st.sampled_from(["is_paused", "is_cancelled", "hibernates"]), st.none()),
)
# Who has heard of all that was, when something happens: the server, the operator, both or nobody.
HEARD: list[tuple[str, ...]] = [
    ("server_sees", "operator_sees"),
    ("server_sees",),
    ("operator_sees",),
    (),
]
HISTORY = st.lists(st.tuples(st.sampled_from(HEARD), EVENTS), min_size=4, max_size=16)
_BEGIN: list[tuple[str, Any]] = [
    ("operator_sees", None),
    ("operator_looks", None),
    ("operator_looks", None),
    ("server_sees", None),
    ("pod", "starts"),
    ("assign", None),
    ("time", 3),
    ("serve", ("shows", False)),
]


@settings(max_examples=250, deadline=None)
@given(
    begun=st.sampled_from([True, True, False]),
    history=HISTORY,
    retries=st.integers(0, 1),
    stubborn=st.sampled_from(STUBBORN),
)
async def test_any_order_of_pause_cancel_and_finish_ends_in_one_legal_final_phase(
    begun: bool,
    history: list[tuple[tuple[str, ...], tuple[str, Any]]],
    retries: int,
    stubborn: str | None,
) -> None:
    world = World(Harness(), retries)
    for what, value in _BEGIN if begun else []:
        world.do(what, value)
    for heard, (what, value) in history:
        for one in heard:
            world.do(one, None)
        world.do(what, value)
    world.settle(stubborn)

    finals = [one for one in world.versions if one.phase.is_final]
    assert len({(one.phase, one.status.completion_time) for one in finals}) == 1
    end, before = finals[0], world.versions[world.versions.index(finals[0]) - 1]
    if before.spec.desired_state == DesiredState.CANCELLED:
        reported = [ENDS[one] for one in world.accepted]
        ways = {(Phase.CANCELLED, Reason.CANCELLED), *reported}
        assert (end.phase, end.status.reason) in ways
    if world.accepted and not retries:
        assert (end.phase, end.status.reason) == ENDS[world.accepted[0]], "what was taken counts"
