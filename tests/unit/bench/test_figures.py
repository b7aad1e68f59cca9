"""What the benchmarks make of their numbers."""

import json

import pytest

from bench.figures import Report, Sample, Verdict, joined, ratio, tables

POD = Sample("bare Pod", "s", (1.5, 2.0, 1.0))
RUN = Sample("Execution", "s", (0.6, 0.5, 0.4))


@pytest.mark.parametrize(
    ("measured", "bound", "holds"),
    [
        pytest.param(0.45, "at most", True, id="a bound from above may be reached"),
        pytest.param(0.46, "at most", False, id="a bound from above may not be passed"),
        pytest.param(0.45, "at least", True, id="a bound from below may be reached"),
        pytest.param(0.44, "at least", False, id="a bound from below may not be missed"),
    ],
)
def test_a_verdict_compares_with_its_bound(measured: float, bound: str, holds: bool) -> None:
    assert Verdict("figure", measured, bound, 0.45).holds == holds  # type: ignore[arg-type]


def test_a_ratio_is_that_of_the_medians() -> None:
    assert ratio(RUN, POD) == pytest.approx(1 / 3)


def test_the_tables_tell_n_median_and_which_target_is_not_met() -> None:
    cold = Report((POD, RUN), (Verdict("cold", 0.33, "at most", 0.45),))
    slow = Report((), (Verdict("slow", 2.0, "at most", 1.0, "ms"),))
    told = tables(joined([cold, slow]))
    assert "bare Pod   3   1.500  1.000  2.000  s" in told
    assert "cold        0.33  at most 0.45       ok" in told
    assert "2 ms  at most 1 ms  NOT MET" in told


def test_a_report_is_plain_json() -> None:
    report = Report((RUN,), (Verdict("cold", 0.33, "at most", 0.45),))
    told = json.loads(json.dumps(report.as_json()))
    assert told["samples"][0] == {
        "name": "Execution",
        "unit": "s",
        "n": 3,
        "median": 0.5,
        "values": [0.6, 0.5, 0.4],
    }
    assert told["verdicts"][0]["holds"] is True
