import pytest

from tests.builders import (
    RUNNING,
    connector,
    execution_object,
    flow,
    pod_object,
    started,
    terminated,
)
from weir.api.resource import JsonObject
from weir.controllers.places import Start
from weir.controllers.store import Store, owner_of
from weir.core.pod_state import PodPhase

HELLO = ("demo", "hello")
KEY = ("demo", "run")


def run(
    version: int = 1, *, name: str = "run", phase: str = "Pending", **status: str
) -> JsonObject:
    return execution_object(
        name, metadata={"resourceVersion": str(version)}, status={"phase": phase, **status}
    )


def test_news_that_is_no_news_is_told_apart() -> None:
    store = Store()

    assert store.put_execution(run(2)) is not None
    assert store.put_execution(run(2)) is None
    assert store.put_execution(run(1)) is None
    assert store.put_execution(run(3)) is not None


def test_late_news_of_what_was_deleted_is_ignored() -> None:
    store = Store()
    store.put_execution(run(1))
    store.remove_execution("execution-run")

    assert store.put_execution(run(2)) is None
    assert store.execution(KEY) is None
    assert store.known_uids() == {}


def test_one_that_is_made_anew_under_its_name_replaces_the_old_whatever_comes_first() -> None:
    again = run(9)
    again["metadata"]["uid"] = "again"
    for late in ("the deletion", "a change"):
        store = Store()
        store.put_execution(run(1))
        store.put_execution(again)
        if late == "the deletion":
            store.remove_execution("execution-run")
        else:
            assert store.put_execution(run(2)) is None

        kept = store.execution(KEY)
        assert kept is not None
        assert kept.uid == "again"
        assert store.known_uids() == {"again": KEY}


def test_of_an_ended_execution_a_line_is_kept() -> None:
    store = Store()
    store.put_execution(run(1))
    store.put_execution(run(2, phase="Succeeded"))

    assert store.execution(KEY) is None
    assert store.phase_of("execution-run") == "Succeeded"
    assert store.known_key("execution-run") == KEY
    assert list(store.live()) == []


def test_an_ended_execution_is_kept_without_its_bulk_while_it_has_pods() -> None:
    store = Store()
    store.put_pod(pod_object(state=RUNNING))
    store.put_execution(
        execution_object(inputs={"a": 1}, status={"phase": "Failed", "outputs": {"b": 2}})
    )
    kept = store.execution(KEY)

    assert kept is not None
    assert kept.spec.inputs is None
    assert kept.status.outputs is None
    store.remove_pod("pod-1")
    assert store.execution(KEY) is None


def test_pods_that_are_left_of_an_ended_execution_are_known() -> None:
    store = Store()
    store.put_execution(run(1, phase="Failed"))
    assert not store.has_ended_with_pods(KEY)
    store.put_pod(pod_object())

    assert store.has_ended_with_pods(KEY)


def test_a_pod_that_means_the_same_is_no_news() -> None:
    store = Store()

    assert store.put_pod(pod_object(state=RUNNING))
    assert not store.put_pod(pod_object(state=RUNNING, podIP="10.0.0.7"))
    assert store.put_pod(pod_object(state=terminated(0)))
    assert not store.put_pod({"metadata": {"name": "of nobody", "uid": "x"}})
    assert store.pod_uids() == {"pod-1"}


def test_a_pod_may_be_known_to_be_on_its_way_out() -> None:
    store = Store()
    store.put_pod(pod_object(state=RUNNING))
    store.mark_deleting("pod-1", started().status.starting_time)  # type: ignore[arg-type]
    store.mark_deleting("unknown", started().status.starting_time)  # type: ignore[arg-type]

    assert store.pods("execution-run")["pod-1"].phase == PodPhase.DELETING
    assert store.remove_pod("pod-1") == "execution-run"
    assert store.remove_pod("pod-1") is None


def test_pods_are_told_by_namespace() -> None:
    store = Store()
    store.put_execution(run(1))
    store.put_pod(pod_object())

    assert store.pod_uids("demo") == {"pod-1"}
    assert store.pod_uids("other") == set()


def test_what_starts_or_runs_takes_a_place_and_what_waits_does_not() -> None:
    store = Store()
    phases = ["Starting", "Running", "Waiting", "Pending", "Queued"]
    for number, phase in enumerate(phases):
        store.put_execution(run(1, name=f"run-{number}", phase=phase))

    assert store.places.load().total == 2
    assert store.places.load().active[HELLO] == 0  # no Flow of that name is known
    assert store.places.is_starting


def test_places_are_counted_by_flow() -> None:
    store = Store()
    store.put_flow(flow(title="Hello", maxConcurrent=2))
    store.put_execution(execution_object("a", flow="Hello", status={"phase": "Running"}))
    store.put_execution(execution_object("b", flow="hello", status={"phase": "Starting"}))
    assert (store.places.load().active[HELLO], store.active_of(HELLO)) == (2, 2)

    store.remove_execution("execution-a")
    assert (store.places.load().active[HELLO], store.active_of(HELLO)) == (1, 1)
    assert store.places.load().limits == {HELLO: 2}
    store.put_flow(flow())
    assert store.places.load().limits == {}


def test_a_start_under_way_takes_its_place_at_once() -> None:
    store = Store()
    store.put_flow(flow())
    store.put_execution(run(1))
    store.places.begin_start("execution-run", Start(HELLO, "abc"))
    assert store.places.load().active[HELLO] == 1
    assert store.places.is_starting
    store.places.end_start("execution-run")

    assert store.places.load().active[HELLO] == 0
    assert not store.places.is_starting


def test_a_pod_without_a_status_that_names_it_takes_a_place() -> None:
    store = Store()
    store.put_execution(run(1))
    store.put_pod(pod_object())

    assert store.places.is_counted("execution-run")


def test_a_flow_that_is_gone_leaves_the_counts_right() -> None:
    store = Store()
    store.put_flow(flow())
    store.put_execution(run(1, phase="Running"))
    store.remove_flow(HELLO)
    store.remove_execution("execution-run")

    assert store.places.load().active[HELLO] == 0
    assert store.active_of(HELLO) == 0


@pytest.mark.parametrize(
    ("status", "stands"),
    [
        pytest.param({"phase": "Queued", "reason": "FlowLimit"}, True, id="for its Flow"),
        pytest.param({"phase": "Queued", "reason": "ClusterLimit"}, True, id="for the cluster"),
        pytest.param({"phase": "Queued"}, True, id="woken by the server"),
        pytest.param({"phase": "Queued", "reason": "PodRefused"}, False, id="not when refused"),
        pytest.param({"phase": "Pending"}, False, id="not before it was looked at"),
    ],
)
def test_who_stands_in_line(status: dict[str, str], stands: bool) -> None:
    store = Store()
    store.put_execution(run(1, **status))

    assert [ticket.uid for ticket in store.places.in_line()] == ["execution-run"] * stands
    assert store.places.next_in_line() == ["execution-run"] * stands


def test_children_are_known_by_their_parents_uid_while_they_live() -> None:
    store = Store()
    parent = {"name": "p", "uid": "P", "sequence": 1}
    store.put_execution(execution_object("a", parent=parent))
    store.put_execution(execution_object("b", parent=parent))
    store.put_execution(
        execution_object(
            "b", metadata={"resourceVersion": "2"}, parent=parent, status={"phase": "Failed"}
        )
    )
    assert store.children("P") == [("demo", "a")]
    store.remove_execution("execution-a")

    assert store.children("P") == []


def test_the_last_start_of_a_flow_is_known() -> None:
    store = Store()
    store.put_flow(flow())
    for name, second in (("a", 1), ("c", 3), ("b", 2)):
        status = {
            "phase": "Succeeded",
            "flow": "hello",
            "startingTime": f"2026-01-01T00:00:0{second}Z",
        }
        store.put_execution(execution_object(name, status=status))
    latest = store.latest_of(HELLO)

    assert latest is not None
    assert latest[1] == "c"


def test_memory_of_a_run_ends_with_it() -> None:
    store = Store()
    store.put_execution(run(1))
    store.memory("execution-run").refusals = 3
    store.put_execution(run(2, phase="Failed"))

    assert store.memory("execution-run").refusals == 0


def test_connectors_are_kept_by_namespace() -> None:
    store = Store()
    store.connectors("demo").put(connector())

    assert [one.metadata.name for one in store.all_connectors()] == ["repo"]
    assert store.connectors("other").get("repo") is None


def test_only_a_controller_that_is_an_execution_owns_a_pod() -> None:
    assert owner_of(pod_object()) == "execution-run"
    assert owner_of({"metadata": {}}) is None
