"""New tries of whole runs: which failures get one, when, and what is left of the last."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import NOW, after, execution, flow, pod_object, started, terminated
from weir.api.execution import Execution
from weir.api.execution_status import TryStatus
from weir.api.flow import RetryPolicy
from weir.api.phases import Phase
from weir.api.reasons import Reason
from weir.api.resource import render_time
from weir.core import moves, retries
from weir.core.actions import Action, LookAgain, Move, StartPod
from weir.core.decisions import next_action
from weir.core.observed import Observed, Plan
from weir.core.pod_state import pod_state
from weir.core.queueing import Place

POLICY = RetryPolicy(limit=2, delay="10s", factor=3, max_delay="1m")
FAILED = TryStatus(
    try_number=1, start_time=NOW, end_time=NOW, reason=Reason.SCRIPT_ERROR, message="boom"
)
TOLD = "try 1 failed (ScriptError: boom); try 2 begins at 2026-11-24T12:00:10Z"


def plan(**spec: Any) -> Plan:
    retry = {"limit": 2, "delay": "10s", "factor": 3, "maxDelay": "1m"}
    return Plan(title="hello", flow="hello", revision="abc", spec=flow(retry=retry, **spec).spec)


def running(**fields: Any) -> Execution:
    status = fields.pop("status", {})
    return started(phase="Running", status={"startTime": render_time(NOW)} | status, **fields)


def again(run: Execution, **fields: Any) -> Move | None:
    known: dict[str, Any] = {
        "reason": Reason.SCRIPT_ERROR,
        "message": "boom",
        "began": NOW,
        "deadline": None,
        "now": NOW,
    }
    return retries.another_try(run, fields.pop("policy", POLICY), **(known | fields))


def between(seconds: float = 10, phase: str = "Queued", **fields: Any) -> Execution:
    """Return a run whose first try failed at NOW, and whose second is due after `seconds`."""
    more = fields.pop("status", {})
    status = {
        "phase": phase,
        "reason": "TryFailed",
        "message": TOLD,
        "try": 2,
        "runner": None,
        "startTime": render_time(NOW),
        "nextTryTime": render_time(after(seconds), exact=True),
        "tries": [FAILED.dump()],
    }
    return started(phase=phase, status=status | more, **fields)


def seen(run: Execution, **fields: Any) -> Observed:
    return Observed(execution=run, **({"plan": plan()} | fields))


RETRIED = {
    "ScriptError",
    "ScriptEnded",
    "ScriptExited",
    "DependencyFailed",
    "InvalidOutputs",
    "OutputTooLarge",
    "OutOfMemory",
    "RunnerExited",
}


@pytest.mark.parametrize("reason", list(Reason), ids=str)
def test_what_a_script_did_is_tried_again_and_nothing_else(reason: Reason) -> None:
    assert (again(running(), reason=reason) is not None) == (str(reason) in RETRIED)


def test_a_failed_try_leaves_its_story_and_nothing_else() -> None:
    run = running(
        status={
            "losses": 3,
            "resumable": False,
            "journal": "db",
            "outputs": {"n": 1},
            "message": "working",
            "children": {"total": 2},
        }
    )
    move = again(run, now=after(0))
    assert move is not None
    change = moves.move(
        run, move.phase, now=NOW, reason=move.reason, message=move.message, **move.fields
    )
    assert change.fields == {
        "phase": "Queued",
        "reason": "TryFailed",
        "message": TOLD,
        "try": 2,
        "nextTryTime": "2026-11-24T12:00:10.000000Z",
        "tries": [FAILED.dump()],
        "runner": None,
        "losses": None,
        "resumable": None,
        "journal": None,
        "outputs": None,
    }


@pytest.mark.parametrize(
    ("run", "fields"),
    [
        pytest.param(running(), {"policy": None}, id="a Flow without spec.retry"),
        pytest.param(running(), {"policy": RetryPolicy()}, id="a limit of none"),
        pytest.param(running(status={"try": 3}), {}, id="the last try was this one"),
        pytest.param(running(desiredState="Cancelled"), {}, id="a run that is to be cancelled"),
        pytest.param(running(), {"deadline": after(10)}, id="its time would be over by then"),
    ],
)
def test_a_run_has_failed_for_good(run: Execution, fields: dict[str, Any]) -> None:
    assert again(run, **fields) is None


def test_a_run_that_is_to_pause_is_put_off_all_the_same() -> None:
    assert again(running(desiredState="Paused")) is not None
    assert again(started(phase="Paused", desiredState="Paused")) is not None


@pytest.mark.parametrize(("failed", "seconds"), [(1, 10), (2, 30), (3, 60), (100, 60)])
def test_each_wait_is_longer_up_to_the_longest(failed: int, seconds: float) -> None:
    assert retries.delay_after(POLICY, failed) == timedelta(seconds=seconds)


def test_a_delay_longer_than_the_longest_is_cut() -> None:
    assert retries.delay_after(RetryPolicy(limit=1, delay="1h"), 1) == timedelta(minutes=5)


def test_ten_tries_are_told_of() -> None:
    tries = [FAILED.model_copy(update={"try_number": n}).dump() for n in range(1, 11)]
    move = again(running(status={"try": 11, "tries": tries}), policy=RetryPolicy(limit=50))
    assert move is not None
    assert [one.try_number for one in move.fields["tries"]] == list(range(2, 12))


def test_a_long_message_leaves_room_for_when_the_next_try_comes() -> None:
    move = again(running(), message="x" * 10_000)
    assert move is not None
    assert move.message is not None
    assert len(move.message) < moves.MAX_MESSAGE
    assert move.message.endswith("try 2 begins at 2026-11-24T12:00:10Z")
    assert len(move.fields["tries"][0].message) == moves.MAX_MESSAGE


@pytest.mark.parametrize(
    ("observed", "seconds", "action"),
    [
        pytest.param(
            seen(between()),
            9,
            LookAgain(at=after(10), description="the next try has its delay"),
            id="it has its delay",
        ),
        pytest.param(
            seen(between()),
            10,
            StartPod(attempt=2, losses=0, description="attempt 2 may start"),
            id="then it gets a Pod, and its losses count anew",
        ),
        pytest.param(
            seen(between(), left_children=1),
            10,
            Move(
                phase=Phase.QUEUED,
                reason=Reason.TRY_FAILED,
                message=f"{TOLD}, when what the earlier one started has ended",
            ),
            id="what the failed try started ends first",
        ),
        pytest.param(
            seen(between(), place=Place.FLOW_LIMIT, plan=replace(plan(), max_concurrent=1)),
            10,
            Move(
                phase=Phase.QUEUED,
                reason=Reason.FLOW_LIMIT,
                message="hello may have 1 runs at once",
                fields={"queued_time": after(10)},
            ),
            id="limits hold for it as for others",
        ),
        pytest.param(
            seen(between(status={"deadline": render_time(after(12))})),
            9,
            LookAgain(at=after(10), description="the next try has its delay"),
            id="its delay is over before its time",
        ),
        pytest.param(
            seen(between(60, status={"deadline": render_time(after(12))})),
            9,
            LookAgain(at=after(12), description="the next try has its delay"),
            id="time is looked at meanwhile",
        ),
        pytest.param(
            seen(between(60, status={"deadline": render_time(after(12))}, timeout="12s")),
            12,
            Move(
                phase=Phase.FAILED,
                reason=Reason.TIMED_OUT,
                message="the run took longer than 12s",
            ),
            id="one timeout is for all tries",
        ),
        pytest.param(
            seen(between(desiredState="Cancelled")),
            1,
            Move(phase=Phase.CANCELLED, reason=Reason.CANCELLED, message="cancelled"),
            id="cancelled, it ends at once",
        ),
        pytest.param(
            seen(between(desiredState="Paused")),
            1,
            Move(
                phase=Phase.PAUSED,
                reason=None,
                message="paused before try 2",
                fields={"paused_at": after(1)},
            ),
            id="paused, it says before what",
        ),
        pytest.param(
            seen(between(phase="Paused", status={"pausedAt": render_time(after(1))})),
            5,
            Move(phase=Phase.QUEUED, reason=Reason.TRY_FAILED, message=TOLD),
            id="resumed too early, it waits on",
        ),
        pytest.param(
            seen(between(phase="Paused", status={"pausedAt": render_time(after(1))})),
            20,
            StartPod(attempt=2, losses=0, description="attempt 2 may start"),
            id="resumed later, it starts",
        ),
    ],
)
def test_between_two_tries(observed: Observed, seconds: float, action: Action) -> None:
    assert next_action(observed, after(seconds)) == action


@pytest.mark.parametrize(
    ("pod", "reason"),
    [
        pytest.param(pod_object(state=terminated(3)), "RunnerExited", id="its process fell over"),
        pytest.param(
            pod_object(state=terminated(137, "OOMKilled"), memory_limit="64Mi"),
            "OutOfMemory",
            id="it needed too much memory",
        ),
    ],
)
def test_the_operator_puts_off_what_it_sees_itself(pod: Any, reason: str) -> None:
    observed = seen(running(), pod=pod_state(pod), silent_since=NOW)
    action = next_action(observed, after(5))

    assert isinstance(action, Move)
    assert (action.phase, action.reason) == (Phase.QUEUED, Reason.TRY_FAILED)
    assert action.fields["tries"][0].reason == reason
    assert action.fields["next_try_time"] == after(15)


def test_a_pod_lost_in_a_try_is_resumed_in_it() -> None:
    run = running(attempt=4, status={"try": 2, "tries": [FAILED.dump()]})
    action = next_action(seen(run, silent_since=NOW), after(5))

    assert isinstance(action, StartPod)
    assert (action.attempt, action.losses) == (5, 1)


def test_the_time_of_a_pause_is_given_back() -> None:
    run = between(
        phase="Paused",
        status={"pausedAt": render_time(NOW), "deadline": render_time(after(100))},
    )
    change = moves.move(run, Phase.QUEUED, now=after(30))
    assert change.fields["deadline"] == render_time(after(130), exact=True)
    assert change.fields["pausedAt"] is None


@pytest.mark.parametrize(
    ("status", "over"),
    [
        ({}, False),
        ({"try": 1, "phase": "Running"}, False),
        ({"try": 2, "phase": "Queued"}, True),
        ({"try": 1, "phase": "Failed"}, True),
    ],
)
def test_a_try_is_over_with_its_run_or_when_another_takes_its_place(
    status: dict[str, Any], over: bool
) -> None:
    assert retries.is_over(execution(status=status).status, 1) is over


@given(
    limit=st.integers(0, 5),
    delay=st.sampled_from(["0s", "1s", "7m"]),
    factor=st.floats(1, 10),
    reasons=st.lists(st.sampled_from(sorted(retries.RETRIED)), min_size=10, max_size=10),
)
def test_no_run_has_more_tries_than_its_limit_allows(
    limit: int, delay: str, factor: float, reasons: list[Reason]
) -> None:
    policy = RetryPolicy(limit=limit, delay=delay, factor=factor)
    run, now, numbers = running(), NOW, [1]
    for reason in reasons:
        move = again(run, policy=policy, reason=reason, now=now)
        if move is None:
            break
        due: datetime = move.fields["next_try_time"]
        assert now <= due <= now + timedelta(minutes=5)
        assert len(move.fields["tries"]) == len(numbers)
        status = run.status.model_copy(update=move.fields)
        run, now = run.model_copy(update={"status": status}), due
        numbers.append(retries.number_of(status))
    assert numbers == list(range(1, limit + 2))
