"""When a FlowRepository is synced next."""

from dataclasses import replace
from typing import Any

import pytest

from tests.builders import NOW, after
from weir.api import names
from weir.api.repository import FlowRepository
from weir.core.sync_times import Synced, due

LAST = Synced(at=NOW, uid="of-flows", generation=1)


def repository(*, generation: int = 1, request: str | None = None, **spec: Any) -> FlowRepository:
    metadata: dict[str, Any] = {"name": "flows", "uid": "of-flows", "generation": generation}
    if request:
        metadata["annotations"] = {names.SYNC_REQUESTED: request}
    return FlowRepository.model_validate(
        {"metadata": metadata, "spec": {"url": "https://git.example/flows"} | spec}
    )


def seconds(one: FlowRepository, last: Synced | None, *, adrift: bool = False) -> float:
    """Return how long after the last sync the next one is due."""
    return (due(one, last, adrift=adrift, now=after(3)) - NOW).total_seconds()


def test_one_that_was_never_synced_is_due_now() -> None:
    assert seconds(repository(), None) == 3


def test_one_that_was_made_anew_is_due_now() -> None:
    assert seconds(repository(), replace(LAST, uid="of-another")) == 3


def test_a_change_of_its_spec_is_synced_at_once() -> None:
    assert seconds(repository(generation=2), LAST) == 3


def test_a_request_is_answered_at_once_and_only_once() -> None:
    assert seconds(repository(request="a"), LAST) == 3
    assert seconds(repository(request="a"), replace(LAST, request="a")) == 300
    assert seconds(repository(request="b"), replace(LAST, request="a", failures=9)) == 3


def test_nothing_new_is_looked_for_after_the_interval() -> None:
    assert seconds(repository(interval="90s"), LAST) == 90


def test_an_interval_of_nothing_is_a_second() -> None:
    assert seconds(repository(interval="1ms"), LAST) == 1


@pytest.mark.parametrize(
    ("failures", "expected"), [(1, 5), (2, 10), (3, 20), (7, 300), (1000, 300)]
)
def test_failures_are_tried_again_after_growing_delays_up_to_the_interval(
    failures: int, expected: float
) -> None:
    assert seconds(repository(), replace(LAST, failures=failures)) == expected


def test_a_delay_is_never_longer_than_a_short_interval() -> None:
    assert seconds(repository(interval="2s"), replace(LAST, failures=3)) == 2


def test_a_change_by_hand_is_undone_at_once() -> None:
    assert seconds(repository(), LAST, adrift=True) == 3


@pytest.mark.parametrize(("undoings", "expected"), [(1, 1), (2, 2), (6, 32), (100, 300)])
def test_who_changes_it_again_and_again_is_answered_later_and_later(
    undoings: int, expected: float
) -> None:
    assert seconds(repository(), replace(LAST, undoings=undoings), adrift=True) == expected
