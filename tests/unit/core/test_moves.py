"""Moves: checked against the table, whole in what they write."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weir.api.execution import Execution
from weir.api.phases import Phase
from weir.api.reasons import Reason
from weir.core.moves import MAX_MESSAGE, IllegalMove, cut, move

NOW = datetime(2026, 11, 24, 12, 0, 0, 250000, tzinfo=UTC)


def execution(**status: Any) -> Execution:
    return Execution.model_validate(
        {"metadata": {"name": "x", "uid": "u"}, "spec": {"flow": "f"}, "status": status}
    )


@given(st.sampled_from(Phase), st.sampled_from(Phase))
def test_a_move_is_made_exactly_when_the_table_has_it(old: Phase, new: Phase) -> None:
    legal = old.can_move_to(new) or (old == new and not old.is_final)
    if legal:
        assert move(execution(phase=old), new, now=NOW).fields["phase"] == new
    else:
        with pytest.raises(IllegalMove):
            move(execution(phase=old), new, now=NOW)


def test_an_end_writes_its_times_duration_and_conditions() -> None:
    started = NOW - timedelta(seconds=3.2)
    running = execution(phase="Running", startTime=started.isoformat(), deadline=NOW.isoformat())
    fields = move(running, Phase.SUCCEEDED, now=NOW, message="all done").fields
    assert fields["completionTime"] == "2026-11-24T12:00:00.250000Z"
    assert fields["duration"] == "3.2s"
    assert fields["deadline"] is None
    assert {(c["type"], c["status"], c["message"]) for c in fields["conditions"]} == {
        ("Succeeded", "True", "all done"),
        ("Ended", "True", "all done"),
    }


def test_a_failure_carries_its_reason_into_the_condition() -> None:
    fields = move(
        execution(phase="Running"), Phase.FAILED, now=NOW, reason=Reason.TIMED_OUT, message="late"
    ).fields
    assert [c["reason"] for c in fields["conditions"] if c["type"] == "Failed"] == ["TimedOut"]


def test_a_run_that_never_started_has_no_duration() -> None:
    assert "duration" not in move(execution(), Phase.CANCELLED, now=NOW).fields


def test_the_scripts_message_survives_a_move_without_one() -> None:
    running = execution(phase="Running", message="iteration 3/10")
    assert "message" not in move(running, Phase.WAITING, now=NOW).fields


def test_a_message_goes_with_the_reason_it_belonged_to() -> None:
    pending = execution(phase="Pending", reason="FlowNotFound", message="no such flow")
    fields = move(pending, Phase.STARTING, now=NOW).fields
    assert fields["reason"] is None
    assert fields["message"] is None


def test_only_what_changes_is_written() -> None:
    running = execution(phase="Running", attempt=1, message="m")
    assert move(running, Phase.WAITING, now=NOW, attempt=1).fields == {"phase": "Waiting"}


def test_outputs_replace_the_old_ones_key_by_key() -> None:
    running = execution(phase="Running", outputs={"a": 1, "b": {"c": 1, "d": 2}})
    fields = move(running, Phase.SUCCEEDED, now=NOW, outputs={"b": {"d": 3}}).fields
    assert fields["outputs"] == {"a": None, "b": {"c": None, "d": 3}}


def test_a_long_message_is_cut_and_says_so() -> None:
    short = cut("x" * 5000)
    assert short is not None
    assert len(short) == MAX_MESSAGE
    assert short.endswith("…")
