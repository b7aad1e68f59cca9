"""Durations as Kubernetes users write them."""

from datetime import timedelta

import pytest

from weir.api import durations


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("2h", 7200), ("1h30m", 5400), ("250ms", 0.25), ("1.5s", 1.5), ("0s", 0)],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert durations.parse(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "90", "1d", "-5s", "5 s", "s", "1h 30m", "5S"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="for example 90s"):
        durations.parse(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        pytest.param(0.04, "0.0s", id="nothing"),
        pytest.param(0.44, "0.4s", id="tenths below ten seconds"),
        pytest.param(12.4, "12s", id="whole seconds from ten on"),
        pytest.param(59.96, "1m0s", id="never sixty seconds"),
        pytest.param(125, "2m5s", id="minutes"),
        pytest.param(10810, "3h0m10s", id="hours"),
        pytest.param(-1, "0.0s", id="never negative"),
    ],
)
def test_a_duration_is_written_for_people(seconds: float, text: str) -> None:
    assert durations.render(timedelta(seconds=seconds)) == text
