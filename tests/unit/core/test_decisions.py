from typing import Any

import pytest

from tests.builders import NOW, RUNNING, after, execution, flow, pod_object, started, terminated
from weir.api import names
from weir.api.execution import Execution
from weir.api.phases import Phase
from weir.api.reasons import Reason
from weir.api.resource import JsonObject, render_time
from weir.core.actions import (
    Action,
    DeletePod,
    LabelMode,
    LookAgain,
    Move,
    Nothing,
    RequestCancel,
    StartPod,
)
from weir.core.decisions import next_action
from weir.core.observed import Observed, Parent, Plan
from weir.core.pod_state import pod_state

PLAN = Plan(title="hello", flow="hello", revision="abc", spec=flow().spec)
DELETED = {"deletionTimestamp": render_time(after(15))}


def seen(run: Execution, pod: JsonObject | None = None, **fields: Any) -> Observed:
    return Observed(execution=run, plan=PLAN, pod=pod_state(pod), **fields)


def ended(phase: str = "Succeeded", **status: Any) -> Execution:
    return started(phase=phase, status={"completionTime": render_time(NOW)} | status)


def cancelled(message: str, **fields: Any) -> Move:
    return Move(phase=Phase.CANCELLED, reason=Reason.CANCELLED, message=message, fields=fields)


DELETE = DeletePod(pod=pod_object()["metadata"]["name"], uid="pod-1", description="the run ended")
LEAVE = "it ended; its Pod may leave by itself first"


@pytest.mark.parametrize(
    ("observed", "seconds", "action"),
    [
        pytest.param(
            seen(ended()), 0, Nothing(description="it ended, and has no Pod"), id="all is tidy"
        ),
        pytest.param(
            seen(ended(), pod_object(state=RUNNING)),
            1,
            LookAgain(at=after(2), description=LEAVE),
            id="a Pod may leave by itself",
        ),
        pytest.param(seen(ended(), pod_object(state=RUNNING)), 2, DELETE, id="but not for long"),
        pytest.param(
            seen(ended(), pod_object(state=terminated(0))), 2, DELETE, id="an ended Pod goes too"
        ),
        pytest.param(
            seen(ended("Failed"), pod_object()), 0, DELETE, id="a Pod that never ran goes at once"
        ),
        pytest.param(
            seen(ended(), pod_object(state=RUNNING), busy=True),
            3,
            LookAgain(at=after(8), description=LEAVE),
            id="while others start, tidying waits",
        ),
        pytest.param(
            seen(ended(), pod_object(state=RUNNING), busy=True), 20, DELETE, id="but not for ever"
        ),
        pytest.param(
            seen(ended("Failed", reason="TimedOut"), pod_object(state=RUNNING)),
            14,
            LookAgain(at=after(15), description=LEAVE),
            id="a script whose time is over may tidy up",
        ),
        pytest.param(
            seen(ended("Failed", reason="TimedOut"), pod_object(state=RUNNING)),
            15,
            DELETE,
            id="for its grace",
        ),
        pytest.param(
            seen(ended(), pod_object(state=RUNNING, metadata=DELETED)),
            9,
            Nothing(description="it ended, and its Pod is being deleted"),
            id="a Pod is deleted once",
        ),
        pytest.param(
            seen(ended(), None, strays=(pod_state(pod_object(state=RUNNING)),)),
            9,
            DELETE,
            id="Pods that nobody names go as well",
        ),
        pytest.param(
            seen(started(phase="Cancelled"), pod_object()), 0, DELETE, id="without a time of end"
        ),
    ],
)
def test_an_ended_run_leaves_nothing_behind(
    observed: Observed, seconds: float, action: Action
) -> None:
    assert next_action(observed, after(seconds)) == action


CANCEL: dict[str, Any] = {"desiredState": "Cancelled"}


@pytest.mark.parametrize(
    ("observed", "seconds", "action"),
    [
        pytest.param(
            seen(execution(**CANCEL)),
            0,
            cancelled("cancelled before it started", flow="hello"),
            id="before its start a run ends at once",
        ),
        pytest.param(
            seen(execution(**CANCEL, status={"phase": "Queued", "flow": "hello"})),
            0,
            cancelled("cancelled before it started"),
            id="so it does in the queue",
        ),
        pytest.param(
            seen(started(**CANCEL), pod_object()),
            0,
            cancelled("cancelled before it started"),
            id="and while its Pod waits",
        ),
        pytest.param(
            seen(started(**CANCEL), pod_object(state=RUNNING), cancel_since=NOW),
            14,
            LookAgain(at=after(15), description="the script is told, and may tidy up"),
            id="a script has its grace",
        ),
        pytest.param(
            seen(started(**CANCEL), pod_object(state=RUNNING), cancel_since=NOW),
            15,
            cancelled("cancelled; the script did not end by itself in time"),
            id="and is ended after it",
        ),
        pytest.param(
            seen(started(**CANCEL), pod_object(state=RUNNING, metadata=DELETED), cancel_since=NOW),
            1,
            LookAgain(at=after(15), description="the script is told, and may tidy up"),
            id="a Pod that is being deleted too",
        ),
        pytest.param(
            seen(started(**CANCEL), pod_object(state=terminated(0)), silent_since=NOW),
            1,
            LookAgain(at=after(2), description="its Pod ended; a report may come"),
            id="a report of its end may be under way",
        ),
        pytest.param(
            seen(started(**CANCEL), pod_object(state=terminated(75)), silent_since=NOW),
            2,
            cancelled("cancelled"),
            id="a lost Pod is not replaced",
        ),
        pytest.param(
            seen(started(phase="Running", **CANCEL), None, silent_since=NOW),
            2,
            cancelled("cancelled"),
            id="nor is one that is gone",
        ),
        pytest.param(
            seen(started(phase="Waiting", **CANCEL, status={"runner": None})),
            0,
            cancelled("cancelled"),
            id="a run that waits without a Pod ends at once",
        ),
        pytest.param(
            seen(
                started(
                    phase="Paused",
                    **CANCEL,
                    status={"runner": None, "startTime": render_time(NOW)},
                )
            ),
            0,
            cancelled("cancelled"),
            id="so does a paused one without a Pod",
        ),
    ],
)
def test_a_run_that_is_to_be_cancelled(observed: Observed, seconds: float, action: Action) -> None:
    assert next_action(observed, after(seconds)) == action


DOWN = RequestCancel(description="its parent failed, was cancelled, is gone, or tries again")
UNUSED = RequestCancel(description="its parent ended without starting it")


@pytest.mark.parametrize(
    ("run", "parent", "action"),
    [
        pytest.param(started(phase="Running"), Parent.DOWN, DOWN, id="running, it is cancelled"),
        pytest.param(execution(), Parent.DOWN, DOWN, id="pending, it is cancelled"),
        pytest.param(
            execution(desiredState="Paused"), Parent.DOWN, DOWN, id="never started, it is cancelled"
        ),
        pytest.param(
            execution(desiredState="Paused"),
            Parent.SUCCEEDED,
            UNUSED,
            id="never started, it is cancelled even after a success",
        ),
        pytest.param(
            execution(),
            Parent.SUCCEEDED,
            StartPod(attempt=1, description="attempt 1 may start"),
            id="after a success what is to run runs",
        ),
        pytest.param(
            execution(),
            Parent.LIVE,
            StartPod(attempt=1, description="attempt 1 may start"),
            id="under a live parent it runs",
        ),
        pytest.param(
            execution(desiredState="Cancelled"),
            Parent.DOWN,
            cancelled("cancelled before it started", flow="hello"),
            id="what is to be cancelled already is not asked again",
        ),
        pytest.param(
            ended(),
            Parent.DOWN,
            Nothing(description="it ended, and has no Pod"),
            id="what has ended has ended",
        ),
    ],
)
def test_a_child_follows_its_parent(run: Execution, parent: Parent, action: Action) -> None:
    assert next_action(seen(run, parent=parent), NOW) == action


def waits_on(**fields: object) -> Move:
    return Move(phase=Phase.WAITING, reason=None, message=None, fields=fields)


@pytest.mark.parametrize(
    ("run", "pod", "action"),
    [
        pytest.param(
            started(phase="Paused", desiredState="Paused"),
            None,
            Nothing(description="paused; it is resumed when asked"),
            id="paused, a lost Pod is not replaced",
        ),
        pytest.param(
            started(phase="Paused"),
            pod_object(state=RUNNING),
            Nothing(description="its Pod is there: the server resumes it"),
            id="resumed, the server tells the Pod",
        ),
        pytest.param(
            started(phase="Paused"),
            None,
            waits_on(runner=None, losses=1),
            id="resumed when its Pod was lost, it waits without one: the server wakes it",
        ),
        pytest.param(
            started(phase="Paused", status={"runner": None, "hibernations": 1}),
            None,
            waits_on(),
            id="resumed after it gave its Pod back, it waits on",
        ),
        pytest.param(
            started(phase="Waiting", desiredState="Paused", status={"runner": None}),
            None,
            Move(phase=Phase.PAUSED, reason=None, message=None, fields={"paused_at": NOW}),
            id="to be paused while it waits without a Pod, it is at once",
        ),
        pytest.param(
            started(
                phase="Paused",
                status={"nextTryTime": render_time(after(5)), "try": 1, "runner": None},
            ),
            None,
            Move(
                phase=Phase.QUEUED,
                reason=Reason.TRY_FAILED,
                message=f"try 1 begins at {render_time(after(5))}",
                fields={},
            ),
            id="resumed between two tries, it waits for its next one",
        ),
    ],
)
def test_a_paused_run(run: Execution, pod: JsonObject | None, action: Action) -> None:
    assert next_action(seen(run, pod), NOW) == action


def test_a_run_that_is_being_deleted_is_left_alone() -> None:
    run = execution(metadata={"deletionTimestamp": render_time(NOW)})

    assert next_action(seen(run), NOW) == Nothing(description="it is being deleted")


def test_a_paused_run_that_is_to_stay_so_is_not_looked_at_as_one_to_start() -> None:
    run = execution(desiredState="Paused", status={"phase": "Paused"})

    assert isinstance(next_action(seen(run), NOW), Nothing)


@pytest.mark.parametrize(
    ("mode", "label", "written"),
    [
        ("Productive", None, None),
        ("Productive", "Productive", None),
        ("Development", "Development", None),
        ("Development", None, "Development"),
        ("Productive", "Development", "Productive"),
    ],
)
def test_the_label_says_the_mode(mode: str, label: str | None, written: str | None) -> None:
    labels = {names.MODE_LABEL: label} if label else {}
    action = next_action(seen(execution(mode=mode, metadata={"labels": labels})), NOW)

    assert (action.mode if isinstance(action, LabelMode) else None) == written
