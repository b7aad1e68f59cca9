from datetime import timedelta
from typing import Any

import pytest

from tests.builders import NOW, RUNNING, after, flow, pod_object, started, terminated
from weir.api.execution import Execution
from weir.api.phases import Phase
from weir.api.reasons import Reason
from weir.api.resource import JsonObject, render_time
from weir.core.actions import Action, DeletePod, LookAgain, Move, Nothing, StartPod
from weir.core.decisions import next_action
from weir.core.observed import Observed, Plan
from weir.core.pod_state import pod_state

PLAN = Plan(title="hello", flow="hello", revision="abc", spec=flow(startTimeout="5m").spec)
UNSCHEDULABLE: dict[str, Any] = {
    "conditions": [{"type": "PodScheduled", "status": "False", "message": "no cpu"}]
}
DELETED: dict[str, Any] = {"deletionTimestamp": render_time(after(15))}
EVICTED: dict[str, Any] = {"phase": "Failed", "reason": "Evicted", "message": "low on memory"}


def seen(run: Execution | None = None, pod: JsonObject | None = None, **fields: Any) -> Observed:
    return Observed(execution=run or started(), pod=pod_state(pod), **({"plan": PLAN} | fields))


def running(**status: Any) -> Execution:
    return started(phase="Running", status={"startTime": render_time(NOW)} | status)


def failed(reason: Reason, message: str) -> Move:
    return Move(phase=Phase.FAILED, reason=reason, message=message)


def resumed(why: str, attempt: int = 2, losses: int = 1) -> StartPod:
    return StartPod(
        attempt=attempt,
        losses=losses,
        reason=Reason.RUNNER_LOST,
        message=f"lost the Pod of attempt {attempt - 1}: {why}",
        description=f"attempt {attempt} may start",
    )


@pytest.mark.parametrize(
    ("observed", "seconds", "action"),
    [
        pytest.param(
            seen(pod=pod_object()),
            1,
            LookAgain(at=after(300), description="its Pod starts"),
            id="a Pod has time to start",
        ),
        pytest.param(
            seen(pod=pod_object(**UNSCHEDULABLE)),
            1,
            LookAgain(
                at=after(3), description="perhaps for a moment: no node takes the Pod: no cpu"
            ),
            id="trouble may be over in a moment",
        ),
        pytest.param(
            seen(pod=pod_object(**UNSCHEDULABLE)),
            3,
            Move(
                phase=Phase.STARTING,
                reason=Reason.POD_NOT_STARTING,
                message="no node takes the Pod: no cpu",
            ),
            id="trouble that stays is told",
        ),
        pytest.param(
            seen(
                started(
                    status={
                        "reason": "PodNotStarting",
                        "message": "no node takes the Pod: no cpu",
                    }
                ),
                pod_object(**UNSCHEDULABLE),
            ),
            4,
            LookAgain(at=after(300), description="no node takes the Pod: no cpu"),
            id="trouble is told only once",
        ),
        pytest.param(
            seen(pod=pod_object(**UNSCHEDULABLE)),
            300,
            failed(
                Reason.POD_NOT_STARTING,
                "the Pod did not start in 5m0s: no node takes the Pod: no cpu",
            ),
            id="after startTimeout the run fails, and says why",
        ),
        pytest.param(
            seen(pod=pod_object()),
            300,
            failed(
                Reason.POD_NOT_STARTING,
                "the Pod did not start in 5m0s: see the events of Pod run-t2k77sc9",
            ),
            id="where nobody knows why, it says where to look",
        ),
        pytest.param(
            seen(pod=pod_object(state=RUNNING)),
            1,
            LookAgain(at=after(300), description="the runner starts"),
            id="a started process has time for its first report",
        ),
        pytest.param(
            seen(pod=pod_object(state=RUNNING)),
            300,
            failed(
                Reason.POD_NOT_STARTING,
                "its Pod runs, but the runner has not reported: can it reach Weir's server?",
            ),
            id="a runner that never reports fails the run",
        ),
        pytest.param(
            seen(
                pod=pod_object(state={"running": {"startedAt": render_time(after(290))}}),
            ),
            310,
            LookAgain(at=after(350), description="the runner starts"),
            id="but a process that started late has a minute",
        ),
        pytest.param(
            seen(running(), pod_object(state=RUNNING)),
            99,
            Nothing(description="it runs"),
            id="a running run is left alone",
        ),
        pytest.param(
            seen(started(phase="Waiting"), pod_object(state=RUNNING)),
            99,
            Nothing(description="it runs"),
            id="so is one that waits",
        ),
        pytest.param(
            seen(running(), pod_object(**UNSCHEDULABLE)),
            5,
            LookAgain(at=after(300), description="its Pod starts"),
            id="a watch of Pods that lags behind does no harm",
        ),
        pytest.param(
            seen(started(phase="Waiting", status={"runner": None})),
            5,
            Nothing(description="it waits without a Pod"),
            id="a run may wait without a Pod",
        ),
    ],
)
def test_a_run_with_a_pod(observed: Observed, seconds: float, action: Action) -> None:
    assert next_action(observed, after(seconds)) == action


@pytest.mark.parametrize(
    ("pod", "action"),
    [
        pytest.param(
            pod_object(state=terminated(1)),
            failed(
                Reason.RUNNER_EXITED,
                "the runner's process exited with code 1 and reported no end",
            ),
            id="a process that ends without a report fails the run",
        ),
        pytest.param(
            pod_object(state=terminated(0)),
            failed(
                Reason.RUNNER_EXITED,
                "the runner's process exited with code 0 and reported no end",
            ),
            id="even with code 0",
        ),
        pytest.param(
            pod_object(state=terminated(139, message="core dumped")),
            failed(
                Reason.RUNNER_EXITED,
                "the runner's process exited with code 139 (SIGSEGV) and reported no end:"
                " Error: core dumped",
            ),
            id="a signal is named",
        ),
        pytest.param(
            pod_object(state=terminated(255)),
            failed(
                Reason.RUNNER_EXITED,
                "the runner's process exited with code 255 and reported no end",
            ),
            id="a code that is no signal is just a code",
        ),
        pytest.param(
            pod_object(state=terminated(75)),
            resumed("the runner could not reach Weir's server"),
            id="a runner that gave up on the server is lost",
        ),
        pytest.param(
            pod_object(state=terminated(137, "OOMKilled"), memory_limit="1Gi"),
            failed(
                Reason.OUT_OF_MEMORY,
                "the script used more memory than its limit: raise spec.runner.resources.limits",
            ),
            id="out of its own memory is the script's failure",
        ),
        pytest.param(
            pod_object(state=terminated(137, "OOMKilled")),
            resumed("the node ran out of memory"),
            id="out of the node's memory is a loss",
        ),
        pytest.param(pod_object(**EVICTED), resumed("Evicted: low on memory"), id="evicted"),
        pytest.param(None, resumed("the Pod is gone"), id="deleted while nobody watched"),
        pytest.param(
            pod_object(state=terminated(128, "StartError", message="no python3")),
            failed(
                Reason.POD_NOT_STARTING,
                "the container could not be started: StartError: no python3",
            ),
            id="a process that cannot be started fails the run",
        ),
    ],
)
def test_a_pod_that_is_no_more(pod: JsonObject | None, action: Action) -> None:
    assert next_action(seen(running(), pod, silent_since=NOW), after(2)) == action


@pytest.mark.parametrize(
    ("pod", "silent_since", "until"),
    [
        pytest.param(pod_object(state=terminated(0)), NOW, after(2), id="seen before"),
        pytest.param(pod_object(state=terminated(0)), None, after(3), id="seen just now"),
        pytest.param(None, NOW, after(2), id="gone"),
        pytest.param(pod_object(**EVICTED, state=terminated(137)), NOW, after(2), id="evicted"),
    ],
)
def test_a_report_may_still_be_under_way(
    pod: JsonObject | None, silent_since: Any, until: Any
) -> None:
    observed = seen(running(), pod, silent_since=silent_since)

    assert next_action(observed, after(1)) == LookAgain(
        at=until, description="its Pod ended; a report may be under way"
    )


def test_no_report_is_awaited_of_a_pod_that_never_ran() -> None:
    observed = seen(started(), pod_object(**EVICTED), silent_since=NOW)

    assert next_action(observed, NOW) == resumed("Evicted: low on memory")


@pytest.mark.parametrize(
    ("seconds", "action"),
    [
        pytest.param(
            44,
            LookAgain(at=after(45), description="its Pod is being deleted"),
            id="its node has half a minute more than the Pod's grace",
        ),
        pytest.param(
            45,
            resumed("the Pod was deleted and its node does not answer"),
            id="then the node is taken for dead",
        ),
    ],
)
def test_a_pod_that_is_being_deleted(seconds: float, action: Action) -> None:
    pod = pod_object(state=RUNNING, metadata=DELETED)

    assert next_action(seen(running(), pod), after(seconds)) == action


def test_a_loss_may_be_a_failure() -> None:
    plan = Plan(title="hello", spec=flow(onRunnerLost="Fail").spec)
    observed = seen(running(), None, silent_since=NOW, plan=plan)

    assert next_action(observed, after(2)) == failed(
        Reason.RUNNER_LOST,
        "lost the Pod of attempt 1: the Pod is gone (spec.onRunnerLost is Fail)",
    )


@pytest.mark.parametrize(
    ("run", "pod", "begins_again"),
    [
        pytest.param(running(), None, False, id="a connection that runs is not run again"),
        pytest.param(started(), None, False, id="nor one of which nobody knows"),
        pytest.param(
            started(), pod_object(**EVICTED, state=terminated(1)), False, id="nor one that ran"
        ),
        pytest.param(started(), pod_object(**EVICTED), True, id="one that never ran is"),
    ],
)
def test_a_connection_that_has_begun(
    run: Execution, pod: JsonObject | None, begins_again: bool
) -> None:
    plan = Plan(title="REST", repeatable=False)
    action = next_action(seen(run, pod, silent_since=NOW, plan=plan), after(2))

    if begins_again:
        assert isinstance(action, StartPod)
    else:
        assert isinstance(action, Move)
        assert action.reason == Reason.RUNNER_LOST
        assert (action.message or "").endswith("It may have had effects, so it is not run again")


def test_a_run_that_is_to_pause_waits_for_its_resumption_without_a_pod() -> None:
    run = started(phase="Running", desiredState="Paused")

    assert next_action(seen(run, None, silent_since=NOW), after(2)) == Move(
        phase=Phase.PAUSED,
        reason=Reason.RUNNER_LOST,
        message="lost the Pod of attempt 1: the Pod is gone",
        fields={"runner": None, "paused_at": after(2), "losses": 1},
    )


def test_a_second_loss_is_waited_out() -> None:
    run = started(phase="Running", attempt=3, status={"losses": 2})
    observed = seen(run, None, silent_since=NOW)

    assert next_action(observed, after(1.999)) == LookAgain(
        at=after(2), description="its Pod ended; a report may be under way"
    )
    assert next_action(observed, after(2)) == resumed("the Pod is gone", 4, losses=3)


@pytest.mark.parametrize(
    ("run", "timeout", "deadline"),
    [
        pytest.param(running(deadline=render_time(after(7))), "9s", after(7), id="as written"),
        pytest.param(running(), "9s", after(9), id="from the start"),
        pytest.param(started(), "9s", after(309), id="from the making of the Pod, at the latest"),
        pytest.param(running(), None, None, id="none without a timeout"),
        pytest.param(
            started(phase="Running", timeout="4s", status={"startTime": render_time(NOW)}),
            "9s",
            after(4),
            id="the Execution's own goes first",
        ),
        pytest.param(
            started(status={"startingTime": None}), "9s", None, id="none before there is a Pod"
        ),
    ],
)
def test_a_run_has_a_deadline(run: Execution, timeout: str | None, deadline: Any) -> None:
    spec = flow(startTimeout="5m", **({"timeout": timeout} if timeout else {})).spec
    plan = Plan(title="hello", spec=spec)

    assert seen(run, plan=plan).deadline == deadline


@pytest.mark.parametrize(
    "pod",
    [
        pytest.param(pod_object(state=RUNNING), id="while it runs"),
        pytest.param(pod_object(state=terminated(75)), id="while it is lost"),
        pytest.param(None, id="while it has no Pod"),
    ],
)
def test_a_deadline_is_exclusive(pod: JsonObject | None) -> None:
    plan = Plan(title="hello", spec=flow(timeout="1m").spec)
    observed = seen(running(), pod, plan=plan)

    assert next_action(observed, after(60)) == failed(
        Reason.TIMED_OUT, "the run took longer than 1m"
    )
    assert next_action(observed, after(59)) != next_action(observed, after(60))


def test_a_running_run_is_looked_at_again_at_its_deadline() -> None:
    plan = Plan(title="hello", spec=flow(timeout="1m").spec)
    observed = seen(running(), pod_object(state=RUNNING), plan=plan)

    assert next_action(observed, NOW) == LookAgain(at=after(60), description="it runs")


def test_a_deadline_without_a_known_timeout_is_one_nevertheless() -> None:
    run = running(deadline=render_time(after(1)))

    assert next_action(seen(run, plan=Plan(title="script")), after(1)) == failed(
        Reason.TIMED_OUT, "the run took longer than its timeout"
    )


def test_the_pod_of_a_superseded_attempt_is_deleted() -> None:
    stray = pod_state(pod_object(attempt=1, state=terminated(75)))
    run = started(attempt=2)
    observed = seen(run, pod_object(attempt=2), strays=(stray,))

    assert next_action(observed, NOW) == DeletePod(
        pod=stray.name, uid="pod-1", description="another attempt took over"
    )


def test_a_start_timeout_has_a_default() -> None:
    assert Plan(title="script").start_timeout == timedelta(minutes=10)


def test_a_superseded_pod_that_is_leaving_is_left_alone() -> None:
    leaving = pod_state(pod_object(attempt=1, state=RUNNING, metadata=DELETED))
    observed = seen(started(attempt=2), pod_object(attempt=2), strays=(leaving,))

    assert next_action(observed, NOW) == LookAgain(at=after(300), description="its Pod starts")
