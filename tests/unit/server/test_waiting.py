"""When waits are over, and what is shown of a run."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weir.api.phases import Phase
from weir.core.waiting import (
    Activity,
    Failed,
    Over,
    Pending,
    Seen,
    Show,
    TimedOut,
    Verdict,
    shown,
    verdict,
)
from weir_protocol.arguments import (
    ReturnWhen,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)

RUNS = Seen("runs", Phase.RUNNING)
DONE = Seen("done", Phase.SUCCEEDED, NOW)
FAILED = Seen("failed", Phase.FAILED, NOW)
FAILED_BEFORE = Seen("before", Phase.FAILED, NOW - SECOND)
CANCELLED = Seen("cancelled", Phase.CANCELLED, NOW)
GONE = Seen("gone", None)


@pytest.mark.parametrize(
    ("return_when", "seen", "expired", "expected"),
    [
        pytest.param("ALL_SUCCEEDED", [RUNS, DONE], False, Pending(), id="one still runs"),
        pytest.param("ALL_SUCCEEDED", [DONE], False, Over(("done",)), id="all succeeded"),
        pytest.param("ALL_SUCCEEDED", [], False, Over(()), id="nothing is waited for"),
        pytest.param(
            "ALL_SUCCEEDED", [RUNS, FAILED], False, Failed("failed"), id="the first failure is it"
        ),
        pytest.param(
            "ALL_SUCCEEDED",
            [FAILED, FAILED_BEFORE, GONE],
            False,
            Failed("before"),
            id="of several failures the earliest counts",
        ),
        pytest.param(
            "ALL_SUCCEEDED", [CANCELLED], False, Failed("cancelled"), id="cancelled is no success"
        ),
        pytest.param("ALL_SUCCEEDED", [GONE], False, Failed("gone"), id="gone is no success"),
        pytest.param(
            "ALL_SUCCEEDED", [RUNS, DONE], True, TimedOut(("runs",)), id="the deadline passed"
        ),
        pytest.param(
            "ALL_SUCCEEDED", [DONE], True, Over(("done",)), id="success beats the deadline"
        ),
        pytest.param(
            "ALL_SUCCEEDED", [RUNS, FAILED], True, Failed("failed"), id="failure beats it too"
        ),
        pytest.param("ALL_ENDED", [FAILED, RUNS], False, Pending(), id="a failure is not the end"),
        pytest.param(
            "ALL_ENDED",
            [FAILED, DONE, GONE],
            False,
            Over(("failed", "done", "gone")),
            id="all ended, however",
        ),
        pytest.param("ALL_ENDED", [FAILED, RUNS], True, TimedOut(("runs",)), id="not all in time"),
        pytest.param("FIRST_ENDED", [RUNS], False, Pending(), id="none ended"),
        pytest.param(
            "FIRST_ENDED", [RUNS, FAILED], False, Over(("failed",)), id="a failed one has ended"
        ),
        pytest.param("FIRST_ENDED", [RUNS], True, TimedOut(("runs",)), id="none in time"),
    ],
)
def test_verdict(
    return_when: ReturnWhen, seen: list[Seen], expired: bool, expected: Verdict
) -> None:
    assert verdict(return_when, seen, expired=expired) == expected


@given(
    st.sampled_from(["ALL_SUCCEEDED", "ALL_ENDED", "FIRST_ENDED"]),
    st.lists(st.sampled_from([*Phase, None]), min_size=1, max_size=6),
)
def test_a_wait_that_is_over_stays_over_and_an_expired_one_never_pends(
    return_when: ReturnWhen, phases: list[Phase | None]
) -> None:
    seen = [Seen(str(at), phase) for at, phase in enumerate(phases)]
    said = verdict(return_when, seen, expired=False)
    late = verdict(return_when, seen, expired=True)
    assert late != Pending()
    if said != Pending():
        assert late == said


LONG_AGO = NOW - 60 * SECOND
JUST_NOW = NOW - SECOND / 2


@pytest.mark.parametrize(
    ("phase", "activity", "works_since", "expected"),
    [
        pytest.param(
            Phase.STARTING,
            Activity(JUST_NOW),
            JUST_NOW,
            Show(None, again=JUST_NOW + SECOND),
            id="a short run is not shown as running",
        ),
        pytest.param(
            Phase.STARTING,
            Activity(LONG_AGO),
            LONG_AGO,
            Show(Phase.RUNNING),
            id="one that lasts is",
        ),
        pytest.param(
            Phase.STARTING,
            Activity(LONG_AGO, waits_since=JUST_NOW),
            LONG_AGO,
            Show(Phase.RUNNING, again=JUST_NOW + SECOND),
            id="a run that has only begun to wait is running so far",
        ),
        pytest.param(
            Phase.STARTING,
            Activity(JUST_NOW, waits_since=JUST_NOW),
            JUST_NOW,
            Show(None, again=JUST_NOW + SECOND),
            id="neither has lasted",
        ),
        pytest.param(
            Phase.RUNNING,
            Activity(LONG_AGO, waits_since=NOW - SECOND),
            LONG_AGO,
            Show(Phase.WAITING),
            id="a wait that lasts is shown",
        ),
        pytest.param(
            Phase.WAITING,
            Activity(LONG_AGO, waits_since=LONG_AGO, is_listed=True),
            LONG_AGO,
            Show(None),
            id="what is shown is not written again",
        ),
        pytest.param(
            Phase.WAITING,
            Activity(LONG_AGO, waits_since=LONG_AGO),
            LONG_AGO,
            Show(Phase.WAITING),
            id="the next wait lists other things",
        ),
        pytest.param(
            Phase.WAITING,
            Activity(LONG_AGO),
            JUST_NOW,
            Show(None, again=JUST_NOW + SECOND),
            id="work that may be over soon is not shown",
        ),
        pytest.param(
            Phase.WAITING,
            Activity(LONG_AGO),
            LONG_AGO,
            Show(Phase.RUNNING),
            id="work after a wait is, when it lasts",
        ),
        pytest.param(
            Phase.RUNNING, Activity(LONG_AGO), LONG_AGO, Show(None), id="running is running"
        ),
        pytest.param(
            Phase.PAUSED, Activity(LONG_AGO), LONG_AGO, Show(None), id="a pause is left alone"
        ),
        pytest.param(Phase.SUCCEEDED, Activity(LONG_AGO), LONG_AGO, Show(None), id="so is an end"),
    ],
)
def test_shown(phase: Phase, activity: Activity, works_since: datetime, expected: Show) -> None:
    assert shown(phase, activity, works_since, NOW) == expected
