"""What is started, missed, cancelled: the table of docs/schedules.md, and what always holds."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import flow, schedule
from weir.api.names import MAX_NAME
from weir.api.reasons import Reason
from weir.api.resource import render_time
from weir.api.schedule import Schedule, ScheduleStatus
from weir.core import schedules
from weir.core.lookup import Catalog
from weir.core.schedules import Decision, ScheduledRun, decide, run_name
from weir.core.timings import Timing, timing_of

DAY = datetime(2026, 11, 24, tzinfo=UTC)
EARLIER = ScheduledRun("earlier", None)
PAGE = Path(__file__).parents[3] / "docs" / "schedules.md"


class Row(NamedTuple):
    """A row of the table of docs/schedules.md."""

    when: str
    policy: str
    deadline: str
    settled: str
    now: str
    earlier: str
    starts: str
    missed: str


def rows() -> list[Row]:
    head = "| when | policy |"
    table = PAGE.read_text().partition(head)[2].partition("\n\n")[0].splitlines()[2:]
    return [Row(*(cell.strip().strip("`") for cell in line.split("|")[1:-1])) for line in table]


def at(clock: str) -> datetime:
    if clock == "a year ago":
        return at("09:00") - timedelta(days=365)
    return datetime.fromisoformat(f"2026-11-24T{clock}+00:00")


def ready(name: str = "nightly", *, settled: datetime | None = None, **spec: Any) -> Schedule:
    """Return a Schedule that is Ready, and has settled all up to a moment."""
    made = schedule(name, metadata={"creationTimestamp": "2020-01-01T00:00:00Z"}, **spec)
    status: dict[str, Any] = {
        "conditions": [
            {
                "type": "Ready",
                "status": "True",
                "reason": "Ready",
                "lastTransitionTime": "2020-01-01T00:00:00Z",
            }
        ],
        "timing": timing_of(made).text,
    }
    if settled is not None:
        status["settledTime"] = render_time(settled, exact=True)
    return made.model_copy(update={"status": ScheduleStatus.model_validate(status)})


def decided(one: Schedule, running: Sequence[ScheduledRun], now: datetime) -> Decision:
    return decide(one, timing_of(one), running, now)


@pytest.mark.parametrize("row", rows(), ids=" ".join)
def test_the_table_of_missed_runs(row: Row) -> None:
    spec: dict[str, Any] = {"concurrencyPolicy": row.policy}
    if row.deadline:
        spec["startingDeadline"] = row.deadline
    every, _, length = row.when.partition(" ")
    spec |= {"interval": length} if every == "every" else {"cron": row.when}
    made = ready(settled=at(row.settled), **spec)
    decision = decided(made, [EARLIER] if row.earlier == "runs" else [], at(row.now))

    waits = row.starts == "once it has ended"
    assert decision.start == (at(row.starts) if row.starts and not waits else None)
    assert decision.cancel is waits
    assert decision.missed == int(row.missed)
    assert (decision.last_missed is not None) is (decision.missed > 0)


def test_the_table_is_there() -> None:
    assert len(rows()) > 20
    assert {row.policy for row in rows()} == {"Allow", "Forbid", "Replace"}


def test_it_is_looked_at_again_at_the_next_time() -> None:
    one = ready(settled=at("09:00"))
    assert decided(one, [], at("09:30")).again == at("10:00")
    assert decided(one, [], at("10:00")).again == at("11:00")


def test_what_waits_for_an_end_is_looked_at_when_it_is_too_late() -> None:
    one = ready(settled=at("09:00"), concurrencyPolicy="Replace", startingDeadline="5m")
    again = decided(one, [EARLIER], at("10:01")).again
    assert again is not None
    assert decided(one, [EARLIER], again).missed == 1


def test_a_clock_that_is_set_back_starts_nothing_again() -> None:
    one = ready(settled=at("10:00"))
    decision = decided(one, [], at("09:15"))
    assert decision == Decision(again=at("11:00"))


def test_a_new_schedule_begins_at_its_creation() -> None:
    made = schedule(metadata={"creationTimestamp": "2026-11-24T09:30:00Z"})
    assert decided(made, [], at("09:59")).start is None
    assert decided(made, [], at("10:00")).start == at("10:00")


def test_an_interval_is_counted_from_the_creation() -> None:
    made = schedule(interval="6h", metadata={"creationTimestamp": "2026-11-24T03:12:07Z"})
    assert decided(made, [], at("03:12:07")).again == at("09:12:07")
    assert decided(made, [], at("09:20")).start == at("09:12:07")


@pytest.mark.parametrize(
    ("known", "timing"),
    [
        pytest.param("False", "0 * * * * UTC", id="it was suspended, or not ready"),
        pytest.param("True", "30 * * * * UTC", id="it had other times"),
        pytest.param("True", "0 * * * * Europe/Vienna", id="it had another time zone"),
    ],
)
def test_nothing_is_made_up_for_after_a_change(known: str, timing: str) -> None:
    one = ready(settled=at("03:00"))
    condition = one.status.conditions[0].model_copy(update={"status": known})
    status = one.status.model_copy(update={"conditions": [condition], "timing": timing})
    one = one.model_copy(update={"status": status})
    decision = decided(one, [], at("09:30"))
    assert decision == Decision(settled=at("09:30"), again=at("10:00"))


@pytest.mark.parametrize("policy", ["Allow", "Forbid", "Replace"])
def test_a_run_that_was_made_and_not_written_down_is_not_made_again(policy: str) -> None:
    one = ready(settled=at("09:00"), concurrencyPolicy=policy)
    made = ScheduledRun(run_name(one, at("10:00")), at("10:00"))
    decision = decided(one, [made], at("10:00:05"))
    # The name is taken: making it once more finds it.
    assert (decision.start, decision.missed, decision.cancel) == (at("10:00"), 0, False)

    decision = decided(one, [made], at("12:10"))
    assert (decision.start, decision.missed) == (at("10:00"), 0)
    assert decision.again == at("12:10")


def test_the_time_of_a_run_that_has_not_its_name_is_not_believed() -> None:
    one = ready(settled=at("09:00"))
    lies = [ScheduledRun("other", at("10:00")), ScheduledRun(run_name(one, DAY), at("10:07"))]
    assert decided(one, lies, at("10:30")).start == at("10:00")


def test_names_are_good_and_differ_by_schedule_and_time() -> None:
    one, other = schedule("a" * 63), schedule("b")
    assert len(run_name(one, DAY)) == MAX_NAME
    assert run_name(one, DAY) == run_name(one, DAY.astimezone())
    names = {run_name(made, due) for made in (one, other) for due in (DAY, at("01:00"))}
    assert len(names) == 4


def test_a_run_is_made_as_the_schedule_says() -> None:
    made = schedule(inputs={"a": 1}, mode="Development", flow="My flow")
    body = schedules.manifest(made, at("10:00"))
    assert body["spec"] == {"flow": "My flow", "mode": "Development", "inputs": {"a": 1}}
    assert body["metadata"]["labels"] == {
        "weir.dev/schedule": "nightly",
        "weir.dev/mode": "Development",
    }
    assert body["metadata"]["annotations"] == {"weir.dev/scheduled-time": "2026-11-24T10:00:00Z"}
    assert "ownerReferences" not in body["metadata"]


def catalog(*made: Schedule) -> Catalog[Schedule]:
    found: Catalog[Schedule] = Catalog()
    for one in made:
        found.put(one)
    return found


def test_a_schedule_whose_title_is_taken_does_not_run() -> None:
    older = schedule("older", title="report")
    younger = schedule(
        "younger", title="report", metadata={"creationTimestamp": "2027-01-01T00:00:00Z"}
    )
    verdict, _ = schedules.check(younger, catalog(older, younger), Catalog())
    assert verdict[:2] == (False, Reason.TITLE_TAKEN)
    assert verdict.message == "Schedule older has the title 'report' already"


def test_a_missing_flow_is_said_and_hinders_nothing() -> None:
    one, flows = schedule(), Catalog[Any]()
    verdict, _ = schedules.check(one, catalog(one), flows)
    assert verdict.ready
    assert "there is no Flow called 'hello'" in verdict.message
    assert "FlowNotFound" in verdict.message
    flows.put(flow())
    verdict, _ = schedules.check(one, catalog(one), flows)
    assert verdict.message == "starts runs when they are due"


def test_a_suspended_schedule_has_no_next_times() -> None:
    one = schedule(suspend=True)
    verdict, timing = schedules.check(one, catalog(one), Catalog())
    assert verdict[:2] == (False, Reason.SUSPENDED)
    after = status_of(one, verdict, timing)
    assert (after.next, after.next_local) == (None, None)


def test_the_next_times_are_shown_as_the_clocks_there_show_them() -> None:
    one = ready(settled=at("09:00"), cron="30 2 * * *", timeZone="Europe/Vienna")
    verdict, timing = schedules.check(one, catalog(one), Catalog())
    after = status_of(one, verdict, timing)
    assert after.next_local == "2026-11-25 02:30 CET"
    assert after.next is not None
    assert len(after.next) == 5
    assert render_time(after.next[0]) == "2026-11-25T01:30:00Z"


def status_of(one: Schedule, verdict: Any, timing: Timing | None) -> ScheduleStatus:
    return schedules.status_after(
        one, verdict, timing, Decision(), [], last_success=None, now=at("09:30")
    )


def test_a_success_of_an_earlier_schedule_of_the_name_does_not_count() -> None:
    one = schedule(metadata={"creationTimestamp": "2026-11-24T09:00:00Z"})
    verdict, timing = schedules.check(one, catalog(one), Catalog())
    for ended, expected in ((at("08:00"), None), (at("09:10"), at("09:10"))):
        after = schedules.status_after(
            one, verdict, timing, Decision(), [], last_success=ended, now=at("09:30")
        )
        assert after.last_successful_time == expected


# What always holds, whenever the operator looks, restarts or forgets, and however long runs take.
looks = st.lists(
    st.tuples(
        st.integers(-400, 9000),  # seconds to the next look: clocks are set back, too
        st.booleans(),  # whether the operator dies before it writes the status
        st.booleans(),  # whether all that runs has ended by then
    ),
    max_size=12,
)
specs = st.fixed_dictionaries(
    {"cron": st.sampled_from(["* * * * *", "*/15 * * * *", "30 2,3 * * *"])},
    optional={
        "concurrencyPolicy": st.sampled_from(["Allow", "Forbid", "Replace"]),
        "startingDeadline": st.sampled_from(["1s", "10m"]),
        "timeZone": st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe"]),
    },
)


@given(specs, looks)
@settings(deadline=None, max_examples=150)
def test_each_due_time_is_run_once_or_missed(
    spec: dict[str, Any], steps: list[tuple[int, bool, bool]]
) -> None:
    begin = now = datetime(2026, 10, 24, 23, 30, tzinfo=UTC)
    one = ready(settled=begin, **spec)
    timing = timing_of(one)
    made: dict[str, datetime] = {}  # every run there ever was, by name
    running: list[ScheduledRun] = []
    policy = spec.get("concurrencyPolicy", "Allow")
    for seconds, dies, ends in steps:
        now += timedelta(seconds=seconds)
        if ends:
            running = []
        again: datetime | None = now
        while again is not None and again <= now:
            decision = decide(one, timing, running, now)
            again = decision.again
            if decision.start is not None:
                name = run_name(one, decision.start)
                if name not in made:
                    assert decision.start <= now
                    assert policy == "Allow" or not running
                    made[name] = decision.start
                    running.append(ScheduledRun(name, decision.start))
            if decision.cancel:
                assert policy == "Replace"
            if dies:
                break
            verdict, _ = schedules.check(one, catalog(one), Catalog())
            after = schedules.status_after(
                one, verdict, timing, decision, running, last_success=None, now=now
            )
            one = one.model_copy(update={"status": after})

    assert len(set(made.values())) == len(made)
    settled = one.status.settled_time
    assert settled is not None
    due = list(takewhile(lambda moment: moment <= settled, timing.times.after(begin)))
    run = {moment for moment in made.values() if moment <= settled}
    assert run <= set(due)
    missed = one.status.missed or 0
    if any(dies for _, dies, _ in steps):
        # A run of which the operator did not know any more when it had ended counts as missed.
        assert len(due) - len(run) <= missed <= len(due)
    else:
        assert missed == len(due) - len(run)
    if policy == "Allow" and "startingDeadline" not in spec and steps and not steps[-1][1]:
        # Of the times of one look, the last has run.
        last = max(takewhile(lambda moment: moment <= now, timing.times.after(begin)), default=None)
        assert last is None or last in run or any(seconds < 0 for seconds, _, _ in steps)
