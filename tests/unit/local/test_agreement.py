"""What both backends must say alike: phases, verdicts of waits, texts of failures."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from weir.api.phases import Phase
from weir.core import views, waiting
from weir_local import phases
from weir_local import waiting as local
from weir_local.backend import STEPS
from weir_protocol import Cause, ExecutionView
from weir_protocol.arguments import ARGUMENTS

SHOWN = (
    st.sampled_from(list(Phase)).filter(lambda phase: str(phase) in phases.SCRIPT_STATUS)
    | st.none()
)
TEXT = st.text(max_size=8)
CAUSES = st.none() | st.builds(Cause, execution=TEXT, title=TEXT, message=TEXT)


def test_a_phase_reads_the_same() -> None:
    for phase, word in phases.SCRIPT_STATUS.items():
        assert Phase(phase).script_status == word
        assert Phase(phase).is_final == (phase in phases.FINAL)


@given(
    st.sampled_from(["ALL_SUCCEEDED", "ALL_ENDED", "FIRST_ENDED"]),
    st.lists(st.tuples(SHOWN, st.none() | st.integers(0, 1_000_000)), max_size=6),
    st.booleans(),
)
def test_a_wait_is_judged_the_same(
    return_when: str, ends: list[tuple[Phase | None, int | None]], expired: bool
) -> None:
    there = waiting.verdict(
        return_when,  # type: ignore[arg-type]
        [
            waiting.Seen(str(n), phase, None if end is None else datetime.fromtimestamp(end, UTC))
            for n, (phase, end) in enumerate(ends)
        ],
        expired=expired,
    )
    here = local.verdict(
        return_when,  # type: ignore[arg-type]
        [
            local.Seen(str(n), None if phase is None else str(phase), end)  # type: ignore[arg-type]
            for n, (phase, end) in enumerate(ends)
        ],
        expired=expired,
    )
    match there:
        case waiting.Pending():
            assert here == local.Verdict("pending")
        case waiting.Over(ended=uids):
            assert here == local.Verdict("over", uids)
        case waiting.Failed(uid=uid):
            assert here == local.Verdict("failed", (uid,))
        case waiting.TimedOut(running=uids):
            assert here == local.Verdict("expired", uids)


@given(st.sampled_from(["Failed", "Cancelled"]), TEXT, TEXT, st.none() | TEXT, CAUSES)
def test_a_failure_is_told_the_same(
    phase: str, name: str, title: str, message: str | None, cause: Cause | None
) -> None:
    failed = ExecutionView(
        uid="u",
        name=name,
        title=title,
        type="FLOW",
        status=Phase(phase).script_status,
        phase=phase,
        message=message,
        cause=cause,
    )
    assert local.failure(failed) == views.failure(failed)


def test_every_operation_is_known_here() -> None:
    assert set(STEPS) == set(ARGUMENTS)
