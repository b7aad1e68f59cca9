"""A run that fails and is tried again, as the operator sees it."""

from typing import Any

import pytest

from tests.builders import execution_object, flow_object
from tests.unit.controllers.fake_cluster import Crash
from tests.unit.controllers.harness import Harness
from weir.api.resource import JsonObject, render_time
from weir.cluster.kinds import EXECUTIONS, FLOWS, PODS


async def running(*, limit: int = 2, **spec: Any) -> Harness:
    """Return an operator whose run `run` is in its first try."""
    operator = Harness()
    retry = {"limit": limit, "delay": "10s", "factor": 2}
    operator.cluster.put(FLOWS, flow_object(ready=None, retry=retry, **spec))
    operator.cluster.put(EXECUTIONS, execution_object("run"))
    await operator.settle()
    operator.runs()
    operator.reports("Running")
    await operator.settle()
    return operator


def child(operator: Harness, name: str, *, try_number: int = 1, **spec: Any) -> None:
    parent = {"name": "run", "uid": "execution-run", "sequence": 1, "try": try_number}
    spec = {"script": "def handler(system, this): pass"} | spec
    operator.cluster.put(EXECUTIONS, execution_object(name, parent=parent, **spec))


def desired(operator: Harness, name: str) -> str:
    found: JsonObject = operator.cluster.find(EXECUTIONS, name)["spec"]
    return str(found.get("desiredState", "Running"))


async def test_a_run_is_tried_again_until_no_try_is_left() -> None:
    operator = await running(limit=1)
    operator.exits(3)
    await operator.settle(5)
    between = operator.status()
    assert (between["phase"], between["reason"], between["try"]) == ("Queued", "TryFailed", 2)
    assert "runner" not in between

    await operator.settle(10)
    again = operator.status()
    assert (again["phase"], again["try"], again["attempt"]) == ("Starting", 2, 2)
    assert "nextTryTime" not in again
    assert [one["metadata"]["name"] for one in operator.cluster.all(PODS)] == [operator.pod_of()]

    operator.runs()
    operator.exits(4)
    await operator.settle(5)
    ended = operator.status()
    assert (ended["phase"], ended["reason"]) == ("Failed", "RunnerExited")
    assert [one["try"] for one in ended["tries"]] == [1]


async def test_what_the_failed_try_started_ends_before_the_next_begins() -> None:
    operator = await running()
    child(operator, "child")
    child(operator, "orphan", orphan=True)
    await operator.settle()
    operator.runs("child")
    operator.reports("Running", "child")
    operator.exits(3)
    await operator.settle(2.5)
    assert desired(operator, "child") == "Cancelled"
    assert desired(operator, "orphan") == "Running"

    await operator.settle(10.5)
    assert operator.status()["phase"] == "Queued"
    assert operator.status()["message"].endswith("when what the earlier one started has ended")

    operator.reports("Cancelled", "child", reason="Cancelled")
    await operator.settle()
    assert operator.status()["phase"] == "Starting"
    child(operator, "fresh", try_number=2)
    await operator.settle(30)
    assert desired(operator, "fresh") == "Running"


async def test_a_deleted_child_holds_up_nothing() -> None:
    operator = await running()
    child(operator, "child")
    await operator.settle()
    operator.runs("child")
    operator.exits(3)
    await operator.settle(12.5)
    assert operator.status()["phase"] == "Queued"

    operator.cluster.take(EXECUTIONS, "child")
    await operator.settle()
    assert operator.status()["phase"] == "Starting"


async def test_a_restarted_operator_knows_when_the_next_try_comes() -> None:
    operator = await running()
    operator.exits(3)
    await operator.settle(5)
    await operator.restart()
    await operator.settle(6.9)
    assert operator.status()["phase"] == "Queued"

    await operator.restart()
    await operator.settle(0.2)
    assert (operator.status()["phase"], operator.status()["try"]) == ("Starting", 2)


@pytest.mark.parametrize("carried_out", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(5))
async def test_an_operator_that_dies_at_any_write_makes_no_try_twice(
    number: int, carried_out: bool
) -> None:
    operator = await running()
    operator.exits(3)
    operator.cluster.crash_at = len(operator.cluster.writes) + number
    operator.cluster.crash_after = carried_out
    for _ in range(3):
        try:
            await operator.settle(13)
        except Crash:
            await operator.restart()

    status = operator.status()
    assert (status["phase"], status["try"], status["attempt"]) == ("Starting", 2, 2)
    assert [one["try"] for one in status["tries"]] == [1]
    assert len(operator.cluster.created) == 2


async def test_who_waits_for_its_next_try_takes_no_place() -> None:
    operator = await running(maxConcurrent=1)
    operator.cluster.put(EXECUTIONS, execution_object("other"))
    await operator.settle()
    assert operator.status("other")["phase"] == "Queued"

    operator.cluster.change(
        EXECUTIONS,
        "run",
        {
            "status": {
                "phase": "Queued",
                "reason": "TryFailed",
                "try": 2,
                "runner": None,
                "nextTryTime": render_time(operator.now.replace(year=2027)),
                "tries": [{"try": 1, "reason": "ScriptError"}],
            }
        },
    )
    await operator.settle()
    assert operator.status("other")["phase"] == "Starting"


async def test_a_try_is_cancelled_in_its_delay() -> None:
    operator = await running()
    operator.exits(3)
    await operator.settle(5)
    operator.cluster.change(EXECUTIONS, "run", {"spec": {"desiredState": "Cancelled"}})
    await operator.settle(5)

    assert operator.status()["phase"] == "Cancelled"
    assert "nextTryTime" not in operator.status()
    assert operator.cluster.all(PODS) == []
