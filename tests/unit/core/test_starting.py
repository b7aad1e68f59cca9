from datetime import timedelta
from typing import Any

import pytest

from tests.builders import NOW, after, execution, flow, started
from weir.api.phases import Phase
from weir.api.reasons import Reason
from weir.api.resource import render_time
from weir.core.actions import Action, LookAgain, Move, Nothing, StartPod
from weir.core.decisions import next_action
from weir.core.observed import Limits, Observed, Obstacle, Plan
from weir.core.queueing import Place
from weir.core.starting import refused

PLAN = Plan(title="hello", flow="hello", revision="abc", spec=flow().spec, max_concurrent=3)
LATER = timedelta(seconds=60)
START = StartPod(attempt=1, description="attempt 1 may start")
CHILD = {"name": "parent", "uid": "execution-parent", "sequence": 1}


def seen(run: Any = None, **fields: Any) -> Observed:
    return Observed(execution=run or execution(), **({"plan": PLAN} | fields))


def blocked(reason: Reason, **fields: Any) -> Plan:
    return Plan(title="hello", obstacle=Obstacle(reason=reason, message="why", **fields))


def move(phase: Phase, reason: Reason | None, message: str, **fields: Any) -> Move:
    return Move(phase=phase, reason=reason, message=message, fields=fields)


def pending(reason: str, message: str) -> dict[str, Any]:
    return {"phase": "Pending", "reason": reason, "message": message, "flow": "hello"}


@pytest.mark.parametrize(
    ("observed", "action"),
    [
        pytest.param(seen(), START, id="a fresh run starts at once"),
        pytest.param(
            seen(execution(status={"phase": "Queued"})), START, id="a queued one when it may"
        ),
        pytest.param(
            seen(execution(desiredState="Paused")),
            move(
                Phase.PENDING,
                Reason.NOT_STARTED,
                "created without being started: set spec.desiredState to Running to start it",
                flow="hello",
            ),
            id="created paused, it says so",
        ),
        pytest.param(
            seen(execution(desiredState="Paused", status={"phase": "Queued"})),
            move(Phase.PAUSED, None, "paused before its start"),
            id="paused in the queue, it leaves it",
        ),
        pytest.param(
            seen(execution(status={"phase": "Paused"})), START, id="resumed, it starts at last"
        ),
        pytest.param(
            seen(
                execution(status={"phase": "Queued", "nextTryTime": render_time(after(9))}),
            ),
            LookAgain(at=after(9), description="the next try has its delay"),
            id="a new try has its delay",
        ),
        pytest.param(
            seen(plan=blocked(Reason.FLOW_NOT_FOUND, patience=LATER)),
            move(Phase.PENDING, Reason.FLOW_NOT_FOUND, "why", flow="hello"),
            id="a root waits for its Flow",
        ),
        pytest.param(
            seen(
                execution(status=pending("FlowNotFound", "why")),
                plan=blocked(Reason.FLOW_NOT_FOUND, patience=LATER),
            ),
            LookAgain(at=after(60), description="until then it may come: why"),
            id="and says so only once",
        ),
        pytest.param(
            seen(execution(parent=CHILD), plan=blocked(Reason.FLOW_NOT_FOUND, patience=LATER)),
            move(Phase.FAILED, Reason.FLOW_NOT_FOUND, "why", flow="hello"),
            id="a child does not wait: its parent does",
        ),
        pytest.param(
            seen(plan=blocked(Reason.UNKNOWN_TYPE, patience=timedelta(0))),
            move(Phase.FAILED, Reason.UNKNOWN_TYPE, "why", flow="hello"),
            id="what will never be right fails at once",
        ),
        pytest.param(
            seen(plan=blocked(Reason.FLOW_SUSPENDED)),
            move(Phase.PENDING, Reason.FLOW_SUSPENDED, "why", flow="hello"),
            id="a suspended Flow is waited for",
        ),
        pytest.param(
            seen(
                execution(status=pending("FlowSuspended", "why")),
                plan=blocked(Reason.FLOW_SUSPENDED),
            ),
            Nothing(description="why"),
            id="without an end",
        ),
        pytest.param(
            seen(plan=blocked(Reason.FLOW_NOT_READY, silent=True)),
            Nothing(description="why"),
            id="a Flow not checked yet is not worth a word",
        ),
        pytest.param(
            seen(execution(parent=CHILD | {"depth": 33})),
            move(
                Phase.FAILED,
                Reason.TOO_DEEP,
                "more than 32 Executions stand above this one: does a flow call itself"
                " without end?",
                flow="hello",
            ),
            id="a tree has a largest depth",
        ),
        pytest.param(
            seen(execution(parent=CHILD | {"depth": 32})), START, id="which may be reached"
        ),
        pytest.param(
            seen(execution(inputs={"x": "y" * 70_000})),
            move(
                Phase.FAILED,
                Reason.INPUTS_TOO_LARGE,
                "the inputs have 70009 bytes of JSON, 65536 are allowed",
                flow="hello",
            ),
            id="inputs have a largest size",
        ),
        pytest.param(
            seen(execution(script="def handler(:"), plan=Plan(title="script")),
            move(
                Phase.FAILED,
                Reason.SYNTAX_ERROR,
                "line 1, column 13: invalid syntax",
                flow="script",
            ),
            id="a script of its own is checked",
        ),
        pytest.param(
            seen(execution(script="def handler(system, this): pass"), plan=Plan(title="script")),
            START,
            id="and run when it is right",
        ),
        pytest.param(
            seen(
                execution(inputs={"n": 1}),
                plan=Plan(
                    title="hello",
                    spec=flow(inputSchema={"properties": {"n": {"type": "integer"}}}).spec,
                ),
            ),
            START,
            id="inputs that fit the schema are fine",
        ),
        pytest.param(
            seen(
                execution(inputs={"n": "x"}),
                plan=Plan(
                    title="hello",
                    spec=flow(inputSchema={"properties": {"n": {"type": "integer"}}}).spec,
                ),
            ),
            move(
                Phase.FAILED,
                Reason.INVALID_INPUTS,
                "inputs.n: must be integer, not string",
                flow="hello",
            ),
            id="inputs are checked against the schema",
        ),
        pytest.param(
            seen(plan=Plan(title="hello", spec=flow(inputSchema={"required": ["n"]}).spec)),
            move(Phase.FAILED, Reason.INVALID_INPUTS, "inputs: lacks n", flow="hello"),
            id="no inputs are an empty object",
        ),
        pytest.param(
            seen(
                execution(inputsRef={"digest": "x", "bytes": 1}),
                plan=Plan(title="hello", spec=flow(inputSchema={"required": ["n"]}).spec),
            ),
            START,
            id="large inputs are checked by the server",
        ),
        pytest.param(
            seen(place=Place.FLOW_LIMIT),
            move(
                Phase.QUEUED,
                Reason.FLOW_LIMIT,
                "hello may have 3 runs at once",
                flow="hello",
                queued_time=NOW,
            ),
            id="a full Flow queues",
        ),
        pytest.param(
            seen(place=Place.CLUSTER_LIMIT),
            move(
                Phase.QUEUED,
                Reason.CLUSTER_LIMIT,
                "as many runs as this installation allows are active",
                flow="hello",
                queued_time=NOW,
            ),
            id="a full installation queues",
        ),
        pytest.param(
            seen(
                execution(
                    status={
                        "phase": "Queued",
                        "reason": "FlowLimit",
                        "message": "hello may have 3 runs at once",
                        "flow": "hello",
                        "queuedTime": render_time(NOW),
                    }
                ),
                place=Place.FLOW_LIMIT,
            ),
            Nothing(description="hello may have 3 runs at once"),
            id="a queued run is told only once",
        ),
        pytest.param(
            seen(refused_until=after(5)),
            LookAgain(at=after(5), description="attempt 1 has its delay"),
            id="a refused Pod is not asked for again at once",
        ),
    ],
)
def test_a_run_before_its_pod(observed: Observed, action: Action) -> None:
    assert next_action(observed, NOW) == action


@pytest.mark.parametrize(
    ("age", "phase"),
    [
        pytest.param(59.0, Phase.PENDING, id="a minute is given for manifests in any order"),
        pytest.param(60.0, Phase.FAILED, id="and no more"),
    ],
)
def test_patience_ends(age: float, phase: Phase) -> None:
    observed = seen(plan=blocked(Reason.FLOW_NOT_FOUND, patience=LATER))
    action = next_action(observed, after(age))

    assert isinstance(action, Move)
    assert action.phase == phase


def lost(losses: int, attempt: int | None = None) -> Any:
    status = {"runner": None, "losses": losses}
    return started(phase="Queued", attempt=attempt or losses, status=status)


@pytest.mark.parametrize(
    ("observed", "action"),
    [
        pytest.param(
            seen(lost(1)),
            StartPod(attempt=2, losses=1, description="attempt 2 may start"),
            id="a run that lost its Pod gets another",
        ),
        pytest.param(
            seen(lost(2), silent_since=NOW),
            LookAgain(at=after(1), description="attempt 3 has its delay"),
            id="the third waits a second",
        ),
        pytest.param(
            seen(lost(4), silent_since=NOW),
            LookAgain(at=after(4), description="attempt 5 has its delay"),
            id="and later ones longer",
        ),
        pytest.param(
            seen(lost(99), silent_since=NOW, limits=Limits(max_attempts=1000)),
            LookAgain(at=after(30), description="attempt 100 has its delay"),
            id="but never longer than half a minute",
        ),
        pytest.param(
            seen(lost(5)),
            move(
                Phase.FAILED,
                Reason.TOO_MANY_ATTEMPTS,
                "5 Pods of this run were lost, the last so: unknown",
            ),
            id="five losses are enough",
        ),
        pytest.param(
            seen(lost(2, attempt=40)),
            StartPod(attempt=41, losses=2, description="attempt 41 may start"),
            id="Pods that were given back, and earlier tries, do not count",
        ),
        pytest.param(
            seen(lost(1), plan=blocked(Reason.RUNNER_LOST)),
            move(Phase.FAILED, Reason.RUNNER_LOST, "why"),
            id="without its revision it cannot go on",
        ),
        pytest.param(
            seen(lost(1), place=Place.FLOW_LIMIT),
            move(
                Phase.QUEUED,
                Reason.FLOW_LIMIT,
                "hello may have 3 runs at once",
                queued_time=NOW,
            ),
            id="limits hold for it too",
        ),
    ],
)
def test_a_run_that_needs_another_pod(observed: Observed, action: Action) -> None:
    assert next_action(observed, NOW) == action


def test_a_refused_pod_leaves_the_run_in_the_queue_and_names_the_refusal() -> None:
    assert refused(seen(), "exceeded quota") == move(
        Phase.QUEUED, Reason.POD_REFUSED, "the Pod was refused: exceeded quota", flow="hello"
    )


def test_a_refusal_is_told_only_once() -> None:
    status = {
        "phase": "Queued",
        "reason": "PodRefused",
        "message": "the Pod was refused: exceeded quota",
    }

    assert isinstance(refused(seen(execution(status=status)), "exceeded quota"), Nothing)


@pytest.mark.parametrize(
    ("draft", "reason"),
    [("def handler(", Reason.SYNTAX_ERROR), ("x = 1", Reason.NO_HANDLER)],
)
def test_a_draft_is_checked_as_a_script_is(draft: str, reason: Reason) -> None:
    action = next_action(seen(execution(draft=draft)), NOW)

    assert isinstance(action, Move)
    assert (action.phase, action.reason) == (Phase.FAILED, reason)


def test_a_refusal_silences_the_pod_that_was_lost() -> None:
    told = refused(seen(started(phase="Running")), "exceeded quota")

    assert isinstance(told, Move)
    assert told.fields == {"runner": None, "losses": 1}
