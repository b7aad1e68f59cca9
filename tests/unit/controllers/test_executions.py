import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.builders import execution_object, flow_object
from tests.unit.controllers.fake_cluster import Crash
from tests.unit.controllers.harness import Harness
from weir.api import names
from weir.api.resource import JsonObject
from weir.cluster.errors import Invalid, Refused
from weir.cluster.kinds import CONTROLLER_REVISIONS, EXECUTIONS, FLOWS, PODS


def harness(*, flow: dict[str, Any] | None = None, **fields: Any) -> Harness:
    """Return an operator in whose cluster there is a Flow that is not checked yet."""
    made = Harness(**fields)
    made.cluster.put(FLOWS, flow_object(ready=None, **(flow or {})))
    return made


def create(operator: Harness, name: str = "run", **fields: Any) -> None:
    operator.cluster.put(EXECUTIONS, execution_object(name, **fields))


def child(name: str, parent: str = "run", **fields: Any) -> JsonObject:
    return execution_object(
        name, parent={"name": parent, "uid": f"execution-{parent}", "sequence": 1}, **fields
    )


async def test_a_fresh_run_takes_two_writes_to_start_and_the_pod_is_first() -> None:
    operator = harness()
    await operator.settle()
    operator.cluster.writes.clear()
    create(operator)
    await operator.settle()

    assert operator.cluster.writes == ["create pods", "patch executions/status"]
    assert operator.status() | {"startingTime": ""} == {
        "phase": "Starting",
        "flow": "hello",
        "revision": operator.cluster.find(FLOWS, "hello")["status"]["revision"],
        "try": 1,
        "attempt": 1,
        "runner": {
            "pod": names.pod_name("run", "execution-run", 1),
            "podUID": operator.cluster.all(PODS)[0]["metadata"]["uid"],
        },
        "startingTime": "",
    }


async def test_a_run_from_start_to_end_takes_three_writes_of_the_operator() -> None:
    operator = harness()
    await operator.settle()
    operator.cluster.writes.clear()
    create(operator)
    await operator.settle()
    operator.runs()
    await operator.settle()
    operator.reports("Succeeded")
    await operator.settle()
    operator.exits(0)
    await operator.settle(4)

    assert operator.cluster.writes == ["create pods", "patch executions/status", "delete pods"]
    assert operator.cluster.all(PODS) == []
    assert operator.looks < 12


async def test_a_run_keeps_the_revision_it_started_with_even_when_its_flow_is_deleted() -> None:
    operator = harness(flow={"runner": {"image": "first:1"}})
    create(operator)
    await operator.settle()
    operator.cluster.put(FLOWS, flow_object(ready=None, metadata={"generation": 2}))
    await operator.settle()
    operator.cluster.take(FLOWS, "hello")
    await operator.settle()
    operator.cluster.take(PODS, operator.pod_of())
    await operator.settle(3)

    assert operator.status()["attempt"] == 2
    (pod,) = operator.cluster.all(PODS)
    assert pod["spec"]["containers"][0]["image"] == "first:1"


async def test_revisions_that_nothing_needs_are_swept() -> None:
    operator = harness()
    await operator.settle()
    for generation in range(2, 15):
        metadata = {"generation": generation}
        script = f"def handler(a, b): {generation}"
        operator.cluster.put(FLOWS, flow_object(ready=None, metadata=metadata, script=script))
        await operator.settle()

    assert len(operator.cluster.all(CONTROLLER_REVISIONS)) == 10


@pytest.mark.parametrize(
    ("pod", "status"),
    [
        pytest.param(lambda operator: operator.exits(3), "RunnerExited", id="it exits"),
        pytest.param(
            lambda operator: operator.cluster.take(PODS, operator.pod_of()),
            None,
            id="its Pod is deleted",
        ),
        pytest.param(lambda operator: operator.exits(75), None, id="it loses the server"),
    ],
)
async def test_a_pod_that_is_no_more(pod: Callable[[Harness], None], status: str | None) -> None:
    operator = harness()
    create(operator)
    await operator.settle()
    operator.runs()
    operator.reports("Running")
    await operator.settle()
    pod(operator)
    await operator.settle(5)

    if status is None:
        assert operator.status()["phase"] == "Starting"
        assert operator.status()["reason"] == "RunnerLost"
        assert operator.status()["attempt"] == 2
        assert [one["metadata"]["name"] for one in operator.cluster.all(PODS)] == [
            operator.pod_of()
        ]
    else:
        assert operator.status()["reason"] == status
        assert operator.cluster.all(PODS) == []


async def test_a_report_that_is_on_its_way_wins_over_the_end_of_its_pod() -> None:
    operator = harness()
    create(operator)
    await operator.settle()
    operator.runs()
    operator.exits(0)
    await operator.settle(1)
    operator.reports("Succeeded", message="all done")
    await operator.settle(10)

    assert operator.status()["phase"] == "Succeeded"
    assert operator.status()["message"] == "all done"


async def test_a_name_that_anothers_pod_has_fails_the_run() -> None:
    operator = harness()
    name = names.pod_name("run", "execution-run", 1)
    foreign = {"metadata": {"name": name, "namespace": "demo", "uid": "foreign"}}
    operator.cluster.put(PODS, foreign)
    create(operator)
    await operator.settle()

    assert operator.status()["phase"] == "Failed"
    assert operator.status()["reason"] == "NameTaken"
    assert operator.cluster.all(PODS)[0]["metadata"]["uid"] == "foreign"


async def test_a_refused_pod_is_asked_for_again_and_again_but_not_all_the_time() -> None:
    operator = harness()
    operator.cluster.refusals["create pods"] = Refused("exceeded quota: pods=0", status=403)
    create(operator)
    await operator.settle(60)

    assert operator.status()["phase"] == "Queued"
    assert operator.status()["reason"] == "PodRefused"
    assert operator.status()["message"] == "the Pod was refused: exceeded quota: pods=0"
    assert 3 <= operator.cluster.calls["create pods"] <= 8
    assert operator.cluster.writes.count("patch executions/status") == 1

    operator.cluster.refusals.clear()
    await operator.settle(31)
    assert operator.status()["phase"] == "Starting"


async def test_refusals_with_changing_words_do_not_turn_into_a_storm() -> None:
    operator = harness()
    create(operator)
    for number in range(10):
        operator.cluster.refusals["create pods"] = Refused(f"quota used: {number}", status=403)
        await operator.settle(1)

    assert operator.cluster.calls["create pods"] <= 5


async def test_a_pod_that_can_never_be_made_fails_the_run() -> None:
    operator = harness()
    operator.cluster.refusals["create pods"] = Invalid("no such quantity: 1Xi", status=422)
    create(operator)
    await operator.settle()

    assert operator.status()["phase"] == "Failed"
    assert operator.status()["message"] == "the Pod cannot be made: no such quantity: 1Xi"


async def test_a_move_that_the_api_server_refuses_ends_the_run() -> None:
    operator = harness()
    create(operator)
    await operator.settle()
    stale = operator.cluster.find(EXECUTIONS, "run")
    stale["status"]["attempt"] = 7  # so that the operator's next move is refused
    operator.cluster.take(PODS, operator.pod_of())
    await operator.settle(3)

    assert operator.status()["phase"] == "Failed"
    assert operator.status()["reason"] == "IllegalMove"


async def test_somebody_faster_is_no_error() -> None:
    operator = harness()
    create(operator)
    await operator.settle()
    operator.cluster.change(EXECUTIONS, "run", {"spec": {"desiredState": "Cancelled"}})
    operator.cluster.news.clear()  # the watch has not told yet
    operator.cluster.take(PODS, operator.pod_of())
    await operator.settle(20)

    assert operator.status()["phase"] == "Cancelled"


async def test_as_many_as_the_flow_allows_run_at_once_in_order() -> None:
    operator = harness(flow={"maxConcurrent": 2})
    await operator.settle()
    for number in range(5):
        priority = 5 if number == 4 else 0
        create(operator, f"run-{number}", priority=priority)
    await operator.settle()
    phases = [operator.status(f"run-{number}")["phase"] for number in range(5)]
    assert phases == ["Starting", "Starting", "Queued", "Queued", "Queued"]

    operator.reports("Succeeded", "run-0")
    await operator.settle()
    assert operator.status("run-4")["phase"] == "Starting"
    assert operator.status("run-2")["phase"] == "Queued"

    operator.reports("Waiting", "run-1", completionTime=None)
    await operator.settle()
    assert operator.status("run-2")["phase"] == "Starting"
    assert operator.status("run-3")["message"] == "hello may have 2 runs at once"


async def test_a_higher_limit_lets_the_queue_move() -> None:
    operator = harness(flow={"maxConcurrent": 1})
    await operator.settle()
    for number in range(3):
        create(operator, f"run-{number}")
    await operator.settle()
    operator.cluster.put(
        FLOWS, flow_object(ready=None, metadata={"generation": 2}, maxConcurrent=3)
    )
    await operator.settle()

    assert {operator.status(f"run-{number}")["phase"] for number in range(3)} == {"Starting"}


async def test_the_installation_has_a_limit_too() -> None:
    operator = harness(max_running=1)
    await operator.settle()
    create(operator, "a")
    create(operator, "b")
    await operator.settle()

    assert operator.status("b")["reason"] == "ClusterLimit"
    operator.reports("Failed", "a")
    await operator.settle()
    assert operator.status("b")["phase"] == "Starting"


async def test_a_limit_holds_when_the_operator_dies_between_pod_and_status() -> None:
    operator = harness(flow={"maxConcurrent": 1})
    await operator.settle()
    create(operator, "a")
    create(operator, "b")
    operator.cluster.crash_at, operator.cluster.crash_after = len(operator.cluster.writes), True
    with pytest.raises(Crash):
        await operator.settle()
    await operator.restart()
    await operator.settle()

    phases = sorted(operator.status(name)["phase"] for name in "ab")
    assert phases == ["Queued", "Starting"]
    assert len(operator.cluster.created) == 1


@pytest.mark.parametrize("end", ["Failed", "Cancelled"])
async def test_the_end_of_a_parent_takes_its_family_with_it(end: str) -> None:
    operator = harness()
    create(operator)
    await operator.settle()
    operator.cluster.put(EXECUTIONS, child("child"))
    operator.cluster.put(EXECUTIONS, child("grandchild", "child"))
    operator.cluster.put(EXECUTIONS, child("orphan", orphan=True))
    await operator.settle()
    operator.reports(end)
    await operator.settle(20)

    assert operator.status("child")["phase"] == "Cancelled"
    assert operator.status("grandchild")["phase"] == "Cancelled"
    assert operator.status("orphan")["phase"] == "Starting"


async def test_a_success_leaves_started_children_running_and_cancels_what_never_started() -> None:
    operator = harness()
    create(operator)
    operator.cluster.put(EXECUTIONS, child("running"))
    operator.cluster.put(EXECUTIONS, child("template", desiredState="Paused"))
    await operator.settle()
    assert operator.status("template")["reason"] == "NotStarted"
    operator.reports("Succeeded")
    await operator.settle()

    assert operator.status("running")["phase"] == "Starting"
    assert operator.status("template")["phase"] == "Cancelled"


async def test_a_child_made_after_its_parents_end_is_caught() -> None:
    operator = harness()
    create(operator, status={"phase": "Failed"})
    operator.cluster.put(EXECUTIONS, child("late"))
    await operator.settle()

    assert operator.status("late")["phase"] == "Cancelled"


async def test_a_child_whose_parent_is_gone_is_cancelled() -> None:
    operator = harness()
    operator.cluster.put(EXECUTIONS, child("left"))
    await operator.settle()

    assert operator.status("left")["phase"] == "Cancelled"
    assert operator.cluster.created == []


async def test_a_parent_that_a_watch_has_not_told_of_yet_is_asked_for() -> None:
    operator = harness()
    await operator.settle()
    create(operator)
    operator.cluster.news.clear()
    operator.cluster.put(EXECUTIONS, child("early"))
    await operator.settle()

    assert operator.status("early")["phase"] == "Starting"


async def test_a_pod_that_a_watch_has_not_told_of_yet_is_asked_for() -> None:
    operator = harness()
    create(operator)
    await operator.settle()
    pods = operator.cluster.all(PODS)
    operator.cluster.objects = {
        key: item for key, item in operator.cluster.objects.items() if key[0] != "pods"
    }
    await operator.restart()  # lists Executions and no Pods
    for pod in pods:
        operator.cluster.put(PODS, pod)
    operator.cluster.news.clear()
    await operator.settle(60)

    assert operator.status()["attempt"] == 1
    assert len(operator.cluster.created) == 1


async def test_a_flow_that_becomes_ready_starts_what_waits_for_it() -> None:
    operator = harness(flow={"script": "x = 1"})
    create(operator)
    await operator.settle(5)
    assert operator.status()["reason"] == "FlowNotReady"
    operator.cluster.put(FLOWS, flow_object(ready=None, metadata={"generation": 2}))
    await operator.settle()

    assert operator.status()["phase"] == "Starting"
    assert "reason" not in operator.status()
    assert "message" not in operator.status()


async def test_a_flow_that_never_comes_fails_the_run_after_a_minute() -> None:
    operator = Harness()
    create(operator)
    await operator.settle(59)
    assert operator.status()["phase"] == "Pending"
    await operator.settle(2)

    assert operator.status()["phase"] == "Failed"
    assert operator.status()["reason"] == "FlowNotFound"


async def test_an_execution_that_is_deleted_is_forgotten() -> None:
    operator = harness()
    create(operator)
    await operator.settle()
    operator.cluster.take(EXECUTIONS, "run")
    await operator.settle(10)

    assert list(operator.store.live()) == []
    assert operator.store.places.load().total == 0


async def play(operator: Harness) -> None:
    """Run one Execution that loses its first Pod and succeeds with its second."""
    await operator.settle()
    there = {pod["metadata"]["name"] for pod in operator.cluster.all(PODS)}
    if operator.status()["attempt"] == 1 and operator.pod_of() in there:
        operator.cluster.take(PODS, operator.pod_of())
    await operator.settle(5)
    if operator.status()["phase"] == "Starting":
        operator.runs()
        await operator.settle()
        operator.reports("Succeeded")
    await operator.settle(30)


@pytest.mark.parametrize("carried_out", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(9))
async def test_dying_at_any_write_changes_nothing_in_the_end(
    number: int, carried_out: bool
) -> None:
    operator = harness()
    create(operator)
    operator.cluster.crash_at, operator.cluster.crash_after = number, carried_out
    try:
        await play(operator)
    except Crash:
        await operator.restart()
        await play(operator)

    assert operator.status()["phase"] == "Succeeded"
    assert operator.status()["attempt"] == 2
    assert operator.cluster.created == [
        names.pod_name("run", "execution-run", attempt) for attempt in (1, 2)
    ]
    assert operator.cluster.all(PODS) == []
    assert len(operator.cluster.all(CONTROLLER_REVISIONS)) == 1


async def test_events_tell_of_trouble_only() -> None:
    operator = harness()
    create(operator, "good")
    create(operator, "bad", inputs={"x": "y" * 70_000})
    await operator.settle()
    operator.exits(1, "good")
    await operator.settle(3)
    writing = asyncio.create_task(operator.events.run())
    while "create events" not in operator.cluster.writes[-1:]:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    writing.cancel()

    told = {
        (one["involvedObject"]["name"], one["reason"])
        for (plural, _, _), one in operator.cluster.objects.items()
        if plural == "events"
    }
    assert told == {("bad", "InputsTooLarge"), ("good", "RunnerExited")}


async def test_a_flow_that_is_made_anew_is_not_taken_for_deleted() -> None:
    operator = harness()
    await operator.settle()
    old = operator.cluster.find(FLOWS, "hello")
    operator.cluster.put(FLOWS, flow_object(ready=None, metadata={"uid": "again"}))
    operator.cluster.news.append((FLOWS, old, True))  # the watch tells of the deletion last
    create(operator)
    await operator.settle()

    assert operator.status()["phase"] == "Starting"
