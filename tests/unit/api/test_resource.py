"""What all models share."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from tests.builders import NOW, started
from weir.api.execution import Execution
from weir.api.resource import render_time

WAITS = {
    "hibernations": 1,
    "startTime": render_time(NOW, exact=True),
    "waitingFor": [{"kind": "Time", "name": "2026-11-24T15:00:00Z"}],
}


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.integers(), max_size=3))
def test_a_compacted_model_is_equal_and_can_be_copied(inputs: dict[str, str | int]) -> None:
    run = started(phase="Waiting", inputs=inputs, status=WAITS)
    compacted = run.compacted()

    assert compacted == run
    assert compacted.dump() == run.dump()
    status = compacted.status.model_copy(update={"message": "new"})
    assert compacted.model_copy(update={"status": status}).status.message == "new"
    assert compacted == run
    assert run.status.waiting_for == compacted.status.waiting_for


def test_a_compacted_run_takes_little_memory() -> None:
    runs = [started(f"run-{number}", phase="Waiting", status=WAITS).dump() for number in range(200)]
    tracemalloc.start()
    try:
        kept = [Execution.model_validate(run).compacted() for run in runs]
        size = tracemalloc.get_traced_memory()[0] / len(kept)
    finally:
        tracemalloc.stop()

    assert size < 4000  # bytes
