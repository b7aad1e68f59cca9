"""How long is waited before something is tried again."""

from __future__ import annotations

from typing import Any

import pytest

from weir_connectors import backoff
from weir_connectors.backoff import Backoff


@pytest.mark.parametrize(
    ("tries", "elapsed", "asked_for", "wait"),
    [
        pytest.param(1, 0, None, 1, id="the first wait"),
        pytest.param(4, 0, None, 8, id="it grows"),
        pytest.param(9, 0, None, 60, id="to its maximum"),
        pytest.param(10**6, 0, None, 60, id="and no further"),
        pytest.param(1, 599, None, 1, id="just before the deadline"),
        pytest.param(2, 599, None, None, id="not beyond it"),
        pytest.param(1, 0, 30, 30, id="the other side wants longer"),
        pytest.param(1, 0, 300, 300, id="longer than the maximum"),
        pytest.param(9, 0, 5, 60, id="the other side wants less"),
        pytest.param(1, 0, 601, None, id="the other side wants too long"),
    ],
)
def test_waits_grow_until_the_deadline(
    tries: int, elapsed: float, asked_for: float | None, wait: float | None
) -> None:
    assert Backoff().wait(tries, elapsed, asked_for) == wait


@pytest.mark.parametrize(
    ("given", "understood"),
    [
        pytest.param(None, None, id="none"),
        pytest.param({}, Backoff(), id="the defaults"),
        pytest.param({"initial": 0.5, "deadline": 5}, Backoff(initial=0.5, deadline=5), id="some"),
    ],
)
def test_an_input_is_understood(given: Any, understood: Backoff | None) -> None:
    assert backoff.of(given) == understood


@pytest.mark.parametrize(
    "given",
    [
        {"tries": 3},
        {"initial": True},
        {"initial": "1"},
        {"deadline": float("inf")},
        {"multiplier": 101},
        {"multiplier": 0},
    ],
)
def test_an_input_is_refused(given: Any) -> None:
    with pytest.raises(ValueError, match="an object of initial, maximum, deadline"):
        backoff.of(given)
