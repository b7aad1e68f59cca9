"""What scripts and people see of an Execution."""

from typing import Any

import pytest

from tests.unit.server.executions import execution
from weir.api import names
from weir.core import views
from weir_protocol import Cause

TIME = "2026-11-24T12:00:00.500000Z"


def test_a_view_tells_what_a_script_may_know() -> None:
    seen = views.view(
        execution(
            spec={
                "flow": "greet",
                "title": "step 1",
                "mode": "Development",
                "parent": {"name": "p", "uid": "up", "sequence": 3},
            },
            status={
                "phase": "Succeeded",
                "message": "done",
                "startTime": TIME,
                "completionTime": TIME,
            },
            creationTimestamp="2026-11-24T11:59:59Z",
        ),
        inputs={"a": 1},
        outputs={"b": 2},
    )
    assert (seen.type, seen.status, seen.phase) == ("FLOW", "ENDED_SUCCESS", "Succeeded")
    assert (seen.title, seen.flow_name, seen.parent_id) == ("step 1", "greet", "up")
    assert (seen.started_at, seen.ended_at) == (TIME, TIME)
    assert seen.created_at == "2026-11-24T11:59:59.000000Z"
    assert (seen.input_value, seen.output_value) == ({"a": 1}, {"b": 2})
    assert not seen.is_productive
    assert seen.cause is None


def test_a_view_tells_which_schedule_or_webhook_started_it() -> None:
    seen = views.view(
        execution(
            labels={names.SCHEDULE_LABEL: "nightly"},
            annotations={names.SCHEDULED_TIME: "2026-11-24T03:00:00+01:00"},
        )
    )
    assert (seen.schedule_name, seen.webhook_name) == ("nightly", None)
    assert seen.scheduled_for == "2026-11-24T02:00:00.000000Z"
    assert views.view(execution(labels={names.WEBHOOK_LABEL: "push"})).webhook_name == "push"
    seen = views.view(execution())
    assert (seen.schedule_name, seen.scheduled_for, seen.webhook_name) == (None, None, None)


@pytest.mark.parametrize(
    "told",
    ["", "soon", "2026-11-24T03:00:00", "2026-13-24T03:00:00Z", "0001-01-01T00:00:00+14:00"],
)
def test_a_time_that_is_none_is_not_told(told: str) -> None:
    seen = views.view(execution(annotations={names.SCHEDULED_TIME: told}))
    assert seen.scheduled_for is None


def test_what_a_child_looked_like_does_not_depend_on_what_became_of_it() -> None:
    created = execution(status={"phase": "Pending"})
    ended = execution(status={"phase": "Failed", "message": "no"}, resourceVersion="9")
    assert views.as_created(ended) == views.as_created(created)
    assert views.as_created(ended).status == "NEW"


CONNECTION = {"connection": {"connector": "repository", "type": "GIT"}}


@pytest.mark.parametrize(
    ("spec", "status", "expected"),
    [
        pytest.param(None, {"phase": "Succeeded"}, None, id="a success has no cause"),
        pytest.param(
            {"flow": "greet"},
            {"phase": "Failed", "message": "boom"},
            Cause(execution="run-1", title="greet", message="boom"),
            id="a leaf is its own cause",
        ),
        pytest.param(
            CONNECTION,
            {"phase": "Failed"},
            Cause(execution="run-1", title="repository", message="it gave no reason"),
            id="a leaf without a word",
        ),
        pytest.param(
            None,
            {"phase": "Cancelled"},
            Cause(execution="run-1", title="script", message="it was cancelled"),
            id="a cancelled leaf",
        ),
        pytest.param(
            {"flow": "greet"},
            {
                "phase": "Failed",
                "message": "execution leaf (part) failed: boom",
                "cause": {"execution": "leaf", "title": "part", "message": "boom"},
            },
            Cause(execution="leaf", title="part", message="boom"),
            id="the leaf below is handed on unchanged",
        ),
    ],
)
def test_cause_of(spec: Any, status: Any, expected: Cause | None) -> None:
    assert views.cause_of(execution(spec=spec, status=status)) == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param(
            {"phase": "Failed", "message": "boom"},
            "execution run-1 (script) failed: boom",
            id="a leaf",
        ),
        pytest.param(
            {
                "phase": "Failed",
                "message": "whatever",
                "cause": {"execution": "leaf", "title": "part", "message": "boom"},
            },
            "execution leaf (part) failed: boom",
            id="the leaf at the bottom",
        ),
        pytest.param(
            {"phase": "Cancelled"}, "execution run-1 (script) was cancelled", id="cancelled"
        ),
        pytest.param(
            {"phase": "Cancelled", "message": "by Ada"},
            "execution run-1 (script) was cancelled: by Ada",
            id="cancelled, with a word",
        ),
    ],
)
def test_failure(status: Any, expected: str) -> None:
    assert views.failure(views.view(execution(status=status))) == expected


def test_a_failure_without_a_cause_is_told_all_the_same() -> None:
    from dataclasses import replace

    seen = views.view(execution(status={"phase": "Failed", "message": "boom"}))
    assert views.failure(replace(seen, cause=None)) == "execution run-1 (script) failed: boom"


def test_masked_values_are_those_of_the_named_keys() -> None:
    assert views.masked({"a": 1, "b": {"c": 2}}, ["b", "x"]) == {"a": 1, "b": "***"}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        pytest.param({"metadata": {}}, {"metadata": {}}, id="nothing to mask"),
        pytest.param(
            {
                "spec": {"inputs": {"a": 1, "b": 2}, "protectInputs": ["a"]},
                "status": {"outputs": {"c": 3}},
            },
            {
                "spec": {"inputs": {"a": "***", "b": 2}, "protectInputs": ["a"]},
                "status": {"outputs": {"c": 3}},
            },
            id="inputs",
        ),
        pytest.param(
            {"spec": {"protectOutputs": ["c"]}, "status": {"outputs": {"c": 3}}},
            {"spec": {"protectOutputs": ["c"]}, "status": {"outputs": {"c": "***"}}},
            id="outputs",
        ),
    ],
)
def test_public(item: Any, expected: Any) -> None:
    before = str(item)
    assert views.public(item) == expected
    assert str(item) == before
