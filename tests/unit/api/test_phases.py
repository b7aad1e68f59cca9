"""The table of phases."""

import pytest

from weir.api.phases import NEXT, Phase


def test_every_phase_has_a_row() -> None:
    assert NEXT.keys() == set(Phase)


def test_exactly_three_phases_are_final() -> None:
    assert {phase for phase in Phase if phase.is_final} == {
        Phase.SUCCEEDED,
        Phase.FAILED,
        Phase.CANCELLED,
    }


@pytest.mark.parametrize("phase", [phase for phase in Phase if not phase.is_final])
def test_every_unfinished_run_can_be_cancelled_and_can_fail(phase: Phase) -> None:
    assert phase.can_move_to(Phase.CANCELLED)
    assert phase.can_move_to(Phase.FAILED)


@pytest.mark.parametrize("phase", [Phase.PENDING, Phase.QUEUED])
def test_a_run_without_a_pod_cannot_succeed(phase: Phase) -> None:
    assert not phase.can_move_to(Phase.SUCCEEDED)


def test_staying_is_no_move() -> None:
    assert not any(phase.can_move_to(phase) for phase in Phase)


def test_scripts_read_the_words_of_the_contract() -> None:
    assert {phase.script_status for phase in Phase} == {
        "NEW",
        "RUNNING",
        "WAITING",
        "PAUSED",
        "ENDED_SUCCESS",
        "ENDED_ERROR",
        "ENDED_CANCELLED",
    }
