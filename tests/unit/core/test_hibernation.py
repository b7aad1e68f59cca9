"""Runs that wait without a Pod: which may, which do so for others, and what becomes of them."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.builders import NOW, after, execution, flow, pod_object, started
from weir.api.execution import Execution
from weir.api.flow import FlowSpec
from weir.api.phases import Phase
from weir.api.reasons import Reason
from weir.api.resource import JsonObject, render_time
from weir.core import hibernation
from weir.core.actions import DeletePod, LookAgain, Move, Nothing
from weir.core.decisions import next_action
from weir.core.hibernation import Candidate, Starved
from weir.core.observed import Observed, Plan
from weir.core.pod_state import PodPhase, PodState, pod_state

FULL = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s).",
}
UNFIT = FULL | {
    "message": "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."
}


def seen(run: Execution, pod: JsonObject | None = None, **fields: Any) -> Observed:
    plan = Plan(title="hello", spec=flow().spec)
    return Observed(**{"execution": run, "plan": plan, "pod": pod_state(pod), **fields})


def asleep(phase: str = "Waiting", **fields: Any) -> Execution:
    """Return a run that gave its Pod back."""
    status = {"runner": None, "hibernations": 1} | fields.pop("status", {})
    return started(phase=phase, status=status, **fields)


def spec(**fields: Any) -> FlowSpec:
    return flow(**fields).spec


@pytest.mark.parametrize(
    ("run", "flow_spec", "expected"),
    [
        pytest.param(started(), spec(), True, id="a flow's run"),
        pytest.param(started(script="def handler(system, this): pass"), None, True, id="a script"),
        pytest.param(started(), spec(onRunnerLost="Fail"), False, id="its Flow says no"),
        pytest.param(started(status={"resumable": False}), spec(), False, id="it used threads"),
        pytest.param(
            execution(connection={"type": "GIT"}), None, False, id="a connection is never taken up"
        ),
    ],
)
def test_which_runs_another_pod_may_take_up(
    run: Execution, flow_spec: FlowSpec | None, expected: bool
) -> None:
    assert hibernation.is_resumable(run, flow_spec) is expected


@pytest.mark.parametrize(
    ("run", "flow_spec", "expected"),
    [
        pytest.param(started(), spec(hibernateAfter="90s"), timedelta(seconds=90), id="as it says"),
        pytest.param(started(), spec(), None, id="for ever, where nothing is said"),
        pytest.param(started(), None, None, id="for ever, where there is no Flow"),
        pytest.param(
            started(status={"resumable": False}),
            spec(hibernateAfter="1s"),
            None,
            id="for ever, with threads",
        ),
    ],
)
def test_how_long_a_run_waits_in_its_pod(
    run: Execution, flow_spec: FlowSpec | None, expected: timedelta | None
) -> None:
    assert hibernation.patience(run, flow_spec) == expected


def test_a_run_that_gives_its_pod_back_stays_as_it_is_but_for_that() -> None:
    for phase in ("Waiting", "Paused"):
        run = started(phase=phase, status={"message": "half done", "hibernations": 2})
        change = hibernation.given_back(run, now=NOW)

        assert change is not None
        assert change.fields == {"phase": phase, "runner": None, "hibernations": 3}


@pytest.mark.parametrize("phase", ["Starting", "Running", "Queued", "Succeeded"])
def test_a_run_that_does_not_wait_keeps_its_pod(phase: str) -> None:
    assert hibernation.given_back(started(phase=phase), now=NOW) is None


def test_a_run_without_a_pod_has_none_to_give_back() -> None:
    assert hibernation.given_back(asleep(), now=NOW) is None


def test_a_woken_run_stands_in_the_queue_and_keeps_its_own_words() -> None:
    waited = [{"kind": "Time", "name": "2026-11-24T15:00:00Z"}]
    run = asleep(status={"message": "half done", "waitingFor": waited})
    change = hibernation.woken(run, now=NOW)

    assert change is not None
    assert change.fields == {"phase": "Queued", "reason": "Woken", "waitingFor": None}


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(started(phase="Waiting"), id="it has a Pod"),
        pytest.param(asleep("Paused"), id="it is paused"),
        pytest.param(asleep(desiredState="Paused"), id="it is to be paused"),
        pytest.param(asleep(desiredState="Cancelled"), id="it is to be cancelled"),
        pytest.param(asleep("Queued"), id="it is woken already"),
        pytest.param(asleep("Failed"), id="it has ended"),
    ],
)
def test_who_is_not_woken(run: Execution) -> None:
    assert hibernation.woken(run, now=NOW) is None


def test_a_pod_that_was_given_back_is_deleted_and_never_called_lost() -> None:
    pod = pod_state(pod_object())
    action = next_action(seen(asleep(), strays=(pod,)), NOW)

    assert action == DeletePod(pod=pod.name, uid="pod-1", description="the run gave it back")


def test_a_run_without_a_pod_waits_until_its_timeout() -> None:
    deadline = render_time(after(60), exact=True)
    run = asleep(status={"deadline": deadline})

    assert next_action(seen(asleep()), NOW) == Nothing(description="it waits without a Pod")
    assert next_action(seen(run), NOW) == LookAgain(
        at=after(60), description="it waits without a Pod"
    )
    ended = next_action(seen(run), after(60))
    assert isinstance(ended, Move)
    assert (ended.phase, ended.reason) == (Phase.FAILED, Reason.TIMED_OUT)


def test_a_lost_pod_ends_a_run_that_used_threads_and_says_why() -> None:
    for desired in ("Running", "Paused"):
        run = started(phase="Running", desiredState=desired, status={"resumable": False})
        action = next_action(seen(run, silent_since=NOW), after(5))

        assert isinstance(action, Move)
        assert (action.phase, action.reason) == (Phase.FAILED, Reason.RUNNER_LOST)
        assert "second thread" in str(action.message)


def test_so_does_one_that_was_lost_while_it_was_paused() -> None:
    run = started(phase="Paused", status={"resumable": False})
    action = next_action(seen(run), NOW)

    assert isinstance(action, Move)
    assert (action.phase, action.reason) == (Phase.FAILED, Reason.RUNNER_LOST)


# For others' sake


def pending(*conditions: JsonObject) -> JsonObject:
    return pod_object(conditions=list(conditions))


@pytest.mark.parametrize(
    ("observed", "expected"),
    [
        pytest.param(
            seen(started(), pending(FULL)),
            Starved(since=NOW, namespace=None),
            id="no node has room: anybody's place will do",
        ),
        pytest.param(seen(started(), pending(UNFIT)), None, id="no node is fit: no place helps"),
        pytest.param(seen(started(), pending()), None, id="it is being placed"),
        pytest.param(
            seen(execution(status={"phase": "Queued"}), over_quota_since=after(-3)),
            Starved(since=after(-3), namespace="demo"),
            id="a quota is used up: a place in the same namespace",
        ),
        pytest.param(
            seen(
                execution(status={"phase": "Queued"}, desiredState="Paused"), over_quota_since=NOW
            ),
            None,
            id="it is to be paused",
        ),
        pytest.param(seen(started(phase="Failed"), pending(FULL)), None, id="it has ended"),
        pytest.param(
            seen(started(), pod_object(state={"running": {}}), over_quota_since=NOW),
            None,
            id="it has its Pod by now",
        ),
    ],
)
def test_which_runs_find_no_place(observed: Observed, expected: Starved | None) -> None:
    assert hibernation.starved(observed) == expected


def test_who_finds_no_place_asks_after_five_seconds_and_then_ever_more_rarely() -> None:
    hungry = Starved(since=NOW, namespace=None)
    asked: datetime | None = None
    gaps = []
    for requests in range(9):
        at = hibernation.asks_at(hungry, requests, asked)
        gaps.append((at - (asked or NOW)).total_seconds())
        asked = at

    assert gaps == [5, 10, 20, 40, 80, 160, 320, 320, 320]


def candidate(name: str, since: float = 0, namespace: str = "demo", **fields: bool) -> Candidate:
    resumable = bool(fields.get("resumable", True))
    return Candidate(uid=name, namespace=namespace, waits_since=after(since), resumable=resumable)


@pytest.mark.parametrize(
    ("namespace", "candidates", "expected"),
    [
        pytest.param(None, [], None, id="nobody waits"),
        pytest.param(
            None, [candidate("b", 2), candidate("a", 1), candidate("c", 3)], "a", id="the longest"
        ),
        pytest.param(
            "demo",
            [candidate("a", 1, "other"), candidate("b", 2)],
            "b",
            id="of the namespace whose quota it is",
        ),
        pytest.param(
            None,
            [candidate("a", 1, resumable=False), candidate("b", 2, "other")],
            "b",
            id="one that can be taken up",
        ),
    ],
)
def test_whose_pod_is_given_back(
    namespace: str | None, candidates: list[Candidate], expected: str | None
) -> None:
    found = hibernation.chosen(Starved(since=NOW, namespace=namespace), candidates)
    assert (found.uid if found else None) == expected


def test_a_pod_that_lacks_room_says_so() -> None:
    assert pod_state(pending(FULL)).lacks_room
    assert not pod_state(pending(UNFIT)).lacks_room
    assert not PodState(phase=PodPhase.WAITING).lacks_room
