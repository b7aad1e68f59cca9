"""Runs without a Pod in the operator's store: little is kept, and all is found."""

from tests.builders import NOW, execution, flow, started
from weir.api.phases import Phase
from weir.api.resource import render_time
from weir.controllers.dormant import Dormant
from weir.controllers.store import Store

ASLEEP = {
    "runner": None,
    "hibernations": 1,
    "startTime": render_time(NOW, exact=True),
    "waitingFor": [{"kind": "Time", "name": "2026-11-24T15:00:00Z"}],
}


def test_all_but_its_values_comes_back() -> None:
    run = started(phase="Waiting", inputs={"n": 1}, status=ASLEEP)
    kept = Dormant.of(run)

    assert kept.awake() == run.model_copy(
        update={"spec": run.spec.model_copy(update={"inputs": None})}
    )
    assert len(kept.text) < 1000


def test_a_script_stays_one() -> None:
    run = started(phase="Waiting", script="def handler(system, this): pass", status=ASLEEP)

    assert Dormant.of(run).awake().target == "script"


def test_the_store_finds_it_by_all_that_others_are_found_by() -> None:
    store = Store()
    store.put_flow(flow())
    parent = {"name": "top", "uid": "execution-top", "sequence": 1}
    store.put_execution(started(phase="Waiting", parent=parent, status=ASLEEP))
    store.put_execution(execution("other"))

    found = store.execution(("demo", "run"))
    assert found is not None
    assert found.is_hibernated
    assert store.phase_of("execution-run") == Phase.WAITING
    assert store.try_of("execution-run") == 1
    assert store.children("execution-top") == [("demo", "run")]
    assert store.active_of(("demo", "hello")) == 2
    assert {one.metadata.name for one in store.live()} == {"run", "other"}


def test_news_of_it_replace_it_and_old_news_do_not() -> None:
    store = Store()
    newer = {"resourceVersion": "7"}
    store.put_execution(started(phase="Waiting", status=ASLEEP, metadata=newer))
    assert store.put_execution(started(phase="Waiting", metadata={"resourceVersion": "6"})) is None
    store.put_execution(
        execution(status={"phase": "Queued", "attempt": 1}, metadata={"resourceVersion": "8"})
    )
    assert store.phase_of("execution-run") == Phase.QUEUED
    store.remove_execution("execution-run")
    assert store.execution(("demo", "run")) is None
    assert store.children("execution-top") == []
