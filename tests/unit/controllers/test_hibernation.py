"""What the operator does about runs without a Pod, and about runs that find no place."""

from typing import Any

import pytest

from tests.builders import execution_object, flow_object
from tests.unit.controllers.harness import Harness
from weir.api.resource import JsonObject, render_time
from weir.cluster.errors import Conflict, Refused
from weir.cluster.kinds import EXECUTIONS, FLOWS, PODS

OVER_QUOTA = Refused('pods "x" is forbidden: exceeded quota: limits, used: pods=2', status=403)
FULL = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/1 nodes are available: 1 Insufficient cpu.",
}


async def operator_with(*names: str, flow: JsonObject | None = None, **fields: Any) -> Harness:
    """Return an operator whose runs of these names wait, in this order, one second apart."""
    operator = Harness(**fields)
    operator.cluster.put(FLOWS, flow_object(ready=None, **(flow or {})))
    await operator.settle()
    for name in names:
        operator.cluster.put(EXECUTIONS, execution_object(name))
        await operator.settle()
        operator.runs(name)
        operator.reports("Waiting", name)
        await operator.settle(1)
    return operator


def gives_back(operator: Harness, name: str = "run", **status: Any) -> None:
    """The server has a run's Pod given back."""
    status = {"runner": None, "hibernations": 1, **status}
    operator.cluster.change(EXECUTIONS, name, {"status": status})


def wakes(operator: Harness, name: str = "run") -> None:
    """The server wakes a run."""
    status = {"phase": "Queued", "reason": "Woken", "waitingFor": None}
    operator.cluster.change(EXECUTIONS, name, {"status": status})


def pods(operator: Harness) -> list[str]:
    return [pod["metadata"]["name"] for pod in operator.cluster.all(PODS)]


def desire(operator: Harness, state: str, name: str = "run") -> None:
    operator.cluster.change(EXECUTIONS, name, {"spec": {"desiredState": state}})


async def test_a_pod_that_was_given_back_is_deleted_and_the_run_goes_on_in_another() -> None:
    operator = await operator_with("run")
    first = operator.pod_of()
    gives_back(operator, message="half done")
    await operator.settle(30)
    assert pods(operator) == []
    assert operator.status()["phase"] == "Waiting"

    wakes(operator)
    await operator.settle()
    status = operator.status()
    assert (status["phase"], status["attempt"], status["message"]) == ("Starting", 2, "half done")
    assert "losses" not in status
    assert "reason" not in status
    assert pods(operator) == [status["runner"]["pod"]] != [first]


async def test_a_pod_that_ended_before_its_loss_was_seen_costs_no_attempt() -> None:
    """The runner left, and the news of its Pod came before that of the status."""
    operator = await operator_with("run")
    operator.exits(0)
    for kind, item, deleted in operator.cluster.news:
        assert kind == PODS
        assert not deleted
        operator.tell_pod(item)
    operator.cluster.news.clear()
    gives_back(operator)
    news, operator.cluster.news = operator.cluster.news, []
    await operator.settle(60)  # the operator takes the Pod for lost, and starts another
    operator.cluster.news += news
    await operator.settle(60)
    status = operator.status()
    assert status["phase"] == "Waiting"
    assert "losses" not in status
    assert pods(operator) == []


async def test_a_woken_run_waits_for_its_place_like_any_other() -> None:
    operator = await operator_with("run", flow={"maxConcurrent": 1})
    gives_back(operator)
    await operator.settle(5)
    operator.cluster.put(EXECUTIONS, execution_object("other"))
    await operator.settle()
    wakes(operator)
    await operator.settle()
    assert operator.status()["reason"] == "FlowLimit"
    operator.runs("other")
    operator.reports("Succeeded", "other")
    await operator.settle(30)
    assert operator.status()["phase"] == "Starting"


async def test_a_run_without_a_pod_is_cancelled_at_once() -> None:
    operator = await operator_with("run")
    gives_back(operator)
    await operator.settle(5)
    desire(operator, "Cancelled")
    await operator.settle()
    assert operator.status()["phase"] == "Cancelled"


async def test_a_run_without_a_pod_is_cancelled_with_its_parent() -> None:
    operator = await operator_with("run")
    parent = {"name": "run", "uid": "execution-run", "sequence": 1}
    operator.cluster.put(EXECUTIONS, execution_object("below", parent=parent))
    await operator.settle()
    operator.runs("below")
    operator.reports("Waiting", "below")
    await operator.settle(1)
    gives_back(operator, "below")
    await operator.settle(5)
    operator.reports("Failed")
    await operator.settle()
    assert operator.status("below")["phase"] == "Cancelled"


async def test_a_run_without_a_pod_times_out() -> None:
    operator = await operator_with("run", flow={"timeout": "1m"})
    gives_back(operator)
    await operator.settle(61)
    assert (operator.status()["phase"], operator.status()["reason"]) == ("Failed", "TimedOut")


async def test_a_pause_of_a_run_without_a_pod_does_not_count_as_its_time() -> None:
    operator = await operator_with("run", flow={"timeout": "1m"})
    deadline = {"deadline": render_time(operator.now.replace(second=59), exact=True)}
    gives_back(operator, **deadline)
    await operator.settle(5)
    desire(operator, "Paused")
    await operator.settle(3600)
    assert operator.status()["phase"] == "Paused"
    assert pods(operator) == []
    desire(operator, "Running")
    await operator.settle(5)
    assert operator.status()["phase"] == "Waiting"
    assert "pausedAt" not in operator.status()
    await operator.settle(60)
    assert operator.status()["reason"] == "TimedOut"


async def test_of_waiting_runs_the_one_that_waits_longest_makes_room_under_a_quota() -> None:
    operator = await operator_with("first", "second")
    operator.cluster.refusals["create pods"] = OVER_QUOTA
    operator.cluster.put(EXECUTIONS, execution_object("third"))
    await operator.settle(4)
    assert "runner" in operator.status("first")
    await operator.settle(3)
    assert "runner" not in operator.status("first")
    assert operator.status("first")["hibernations"] == 1
    assert operator.status("first")["phase"] == "Waiting"
    assert "runner" in operator.status("second")

    del operator.cluster.refusals["create pods"]
    await operator.settle(3)
    assert operator.status("third")["phase"] == "Starting"
    assert "runner" in operator.status("second")


async def test_a_refusal_of_another_kind_takes_nobodys_pod() -> None:
    operator = await operator_with("first")
    operator.cluster.refusals["create pods"] = Refused("no service account", status=403)
    operator.cluster.put(EXECUTIONS, execution_object("second"))
    await operator.settle(300)
    assert "runner" in operator.status("first")


async def test_so_does_a_run_of_any_namespace_when_no_node_has_room() -> None:
    operator = await operator_with("first")
    operator.cluster.put(EXECUTIONS, execution_object("second"))
    await operator.settle()
    operator.cluster.change(
        PODS,
        operator.pod_of("second"),
        {"metadata": {"creationTimestamp": render_time(operator.now)}},
    )
    operator.kubelet("second", conditions=[FULL])
    await operator.settle(4)
    assert "runner" in operator.status("first")
    await operator.settle(3)
    assert "runner" not in operator.status("first")


@pytest.mark.parametrize(
    ("flow", "status"),
    [
        pytest.param({"onRunnerLost": "Fail"}, {}, id="its Flow does not allow it"),
        pytest.param({}, {"resumable": False}, id="its script used threads"),
        pytest.param({}, {"phase": "Running"}, id="it works"),
    ],
)
async def test_some_keep_their_pods_whoever_needs_one(flow: JsonObject, status: JsonObject) -> None:
    operator = await operator_with("first", flow=flow)
    operator.cluster.change(EXECUTIONS, "first", {"status": status})
    operator.cluster.refusals["create pods"] = OVER_QUOTA
    operator.cluster.put(EXECUTIONS, execution_object("second"))
    await operator.settle(600)
    assert "runner" in operator.status("first")


async def test_as_many_pods_are_taken_as_runs_need_and_not_all_at_once() -> None:
    waiting = [f"run-{number}" for number in range(6)]
    operator = await operator_with(*waiting)
    operator.cluster.refusals["create pods"] = OVER_QUOTA
    for name in ("one", "two"):
        operator.cluster.put(EXECUTIONS, execution_object(name))
    await operator.settle(5.5)
    taken = [name for name in waiting if "runner" not in operator.status(name)]
    assert taken == ["run-0"]
    await operator.settle(2)
    taken = [name for name in waiting if "runner" not in operator.status(name)]
    assert taken == ["run-0", "run-1"]
    del operator.cluster.refusals["create pods"]
    await operator.settle(60)
    assert operator.status("one")["phase"] == operator.status("two")["phase"] == "Starting"
    taken = [name for name in waiting if "runner" not in operator.status(name)]
    assert taken == ["run-0", "run-1"]


async def test_a_run_that_has_just_got_something_to_do_keeps_its_pod() -> None:
    operator = await operator_with("first")
    operator.cluster.refusals["create pods"] = OVER_QUOTA
    operator.cluster.put(EXECUTIONS, execution_object("second"))
    await operator.settle(4)
    operator.cluster.refusals["patch executions/status"] = Conflict("it was written", status=409)
    await operator.settle(3)
    assert "runner" in operator.status("first")
    del operator.cluster.refusals["patch executions/status"]
    await operator.settle(30)
    assert "runner" not in operator.status("first")
