"""Runs, from their creation to their end, over a real API server."""

import asyncio
from typing import Any

import pytest

from tests.integration.operator.conftest import StartOperator
from tests.integration.operator.processes import OperatorThread
from tests.integration.operator.world import World
from weir.api import names
from weir.cluster.client import Cluster
from weir.cluster.kinds import CONNECTORS, CONTROLLER_REVISIONS, EXECUTIONS, FLOWS, PODS, SECRETS


async def test_a_run_takes_three_writes_of_the_operator_and_few_looks(
    operator: OperatorThread, world: World
) -> None:
    await world.flow()
    before = await operator.metrics()
    runs = [f"run-{number}" for number in range(20)]
    for name in runs:
        await world.run(name)
    await asyncio.gather(*(world.finishes(name) for name in runs))
    await world.no_pods()
    after = await operator.metrics()

    def counted(verb: str, resource: str) -> float:
        name = f'weir_api_calls_total{{verb="{verb}",resource="{resource}"}}'
        return after.get(name, 0) - before.get(name, 0)

    assert counted("create", "pods") == len(runs)
    assert counted("patch", "executions/status") == len(runs)
    assert counted("delete", "pods") == len(runs)
    assert counted("get", "executions") == 0
    assert counted("get", "pods") == 0
    looks = after["weir_reconciles_total"] - before["weir_reconciles_total"]
    assert looks <= 12 * len(runs)


async def test_a_pod_is_made_soon_after_its_execution(
    operator: OperatorThread, world: World
) -> None:
    await world.flow()
    times = []
    for number in range(5):
        begin = asyncio.get_running_loop().time()
        await world.run(f"run-{number}")
        await world.until(
            PODS,
            names.pod_name(
                f"run-{number}",
                (await world.cluster.get(EXECUTIONS, world.namespace, f"run-{number}"))["metadata"][
                    "uid"
                ],
                1,
            ),
            lambda pod: True,
        )
        times.append(asyncio.get_running_loop().time() - begin)

    assert min(times) < 0.25  # the machine may be busy; alone it is 0.02 s


async def test_a_stuck_pod_says_why(operator: OperatorThread, world: World) -> None:
    await world.flow(startTimeout="5s")
    await world.run()
    await world.is_unschedulable()

    shown = await world.phase("run", "Starting", reason="PodNotStarting")
    assert shown["message"] == (
        "no node takes the Pod: 0/1 nodes are available: 1 Insufficient cpu."
    )
    ended = await world.phase("run", "Failed")
    assert ended["reason"] == "PodNotStarting"
    await world.no_pods()


@pytest.mark.parametrize(
    ("code", "why", "reason"),
    [
        pytest.param(1, "Error", "RunnerExited", id="it exits"),
        pytest.param(0, "Completed", "RunnerExited", id="it exits well, without a report"),
        pytest.param(137, "OOMKilled", "OutOfMemory", id="it is out of memory"),
    ],
)
async def test_a_process_that_ends_by_itself_fails_the_run(
    operator: OperatorThread, world: World, code: int, why: str, reason: str
) -> None:
    await world.flow(runner={"resources": {"limits": {"memory": "64Mi"}}})
    await world.run()
    await world.phase("run", "Starting")
    await world.runs()
    await world.exits(code, reason=why)

    assert (await world.phase("run", "Failed"))["reason"] == reason


async def test_a_lost_pod_is_replaced_and_the_old_one_can_do_nothing_more(
    operator: OperatorThread, world: World
) -> None:
    await world.flow()
    await world.run()
    first = await world.pod_of()
    await world.runs()
    await world.reports("Running")
    await world.delete_pod()

    status = await world.phase("run", "Starting", attempt=2)
    assert status["runner"]["podUID"] != first["metadata"]["uid"]
    assert status["reason"] == "RunnerLost"
    assert len(await world.pods()) == 1


async def test_a_run_is_lost_only_so_many_times(
    start_operator: StartOperator, world: World
) -> None:
    async with start_operator(max_attempts=2):
        await world.flow()
        await world.run()
        for attempt in (1, 2):
            await world.phase("run", "Starting", attempt=attempt)
            await world.runs()
            await world.exits(75)

        assert (await world.phase("run", "Failed"))["reason"] == "TooManyAttempts"


async def test_a_run_that_takes_too_long_fails(operator: OperatorThread, world: World) -> None:
    await world.flow(timeout="2s")
    await world.run()
    await world.phase("run", "Starting")
    await world.runs()
    await world.reports("Running")

    ended = await world.phase("run", "Failed")
    assert (ended["reason"], ended["message"]) == ("TimedOut", "the run took longer than 2s")


async def test_a_tree_is_cancelled_level_by_level(operator: OperatorThread, world: World) -> None:
    await world.flow()
    parent = await world.run()
    child = await world.child(parent, "child")
    await world.child(child, "grandchild")
    await world.child(parent, "orphan", orphan=True)
    for name in ("run", "child", "grandchild", "orphan"):
        await world.phase(name, "Starting")
    await world.cancel()

    for name in ("run", "child", "grandchild"):
        assert (await world.phase(name, "Cancelled"))["reason"] == "Cancelled"
    await world.phase("orphan", "Starting")
    await world.finishes("orphan")
    await world.no_pods()


async def test_a_running_script_has_its_grace_when_it_is_cancelled(
    operator: OperatorThread, world: World
) -> None:
    await world.flow()
    await world.run()
    await world.phase("run", "Starting")
    await world.runs()
    await world.reports("Running")
    await world.cancel()
    begin = asyncio.get_running_loop().time()
    await world.phase("run", "Cancelled")

    assert asyncio.get_running_loop().time() - begin > 13
    await world.no_pods()


async def test_a_name_that_anothers_pod_has_fails_the_run(
    start_operator: StartOperator, world: World
) -> None:
    made = await world.run()
    name = names.pod_name("run", made["metadata"]["uid"], 1)
    container = {"name": "c", "image": "i"}
    body = {"metadata": {"name": name}, "spec": {"containers": [container]}}
    foreign = await world.cluster.create(PODS, world.namespace, body)
    async with start_operator():
        await world.flow()
        status = await world.phase("run", "Failed")

    assert status["reason"] == "NameTaken"
    (pod,) = await world.pods()
    assert pod["metadata"]["uid"] == foreign["metadata"]["uid"]


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        pytest.param({"inputs": {"n": "x"}}, "InvalidInputs", id="inputs against the schema"),
        pytest.param({"inputs": {"x": "y" * 70_000}}, "InputsTooLarge", id="inputs too large"),
        pytest.param({"script": "def handler(:"}, "SyntaxError", id="a script that is no Python"),
        pytest.param({"script": "x = 1"}, "NoHandler", id="a script without a handler"),
        pytest.param(
            {"connection": {"type": "GIT"}, "inputs": {"command": "get"}},
            "InvalidInputs",
            id="a connection that lacks an input",
        ),
        pytest.param({"connection": {"type": "FAX"}}, "UnknownType", id="an unknown connection"),
    ],
)
async def test_bad_input_fails_the_run_without_a_pod(
    operator: OperatorThread, world: World, spec: dict[str, Any], reason: str
) -> None:
    await world.flow(inputSchema={"properties": {"n": {"type": "integer"}}})
    await world.run(**spec)

    assert (await world.phase("run", "Failed"))["reason"] == reason
    assert await world.pods() == []


async def test_a_child_of_itself_without_end_has_an_end(
    start_operator: StartOperator, world: World
) -> None:
    async with start_operator(max_depth=2):
        await world.flow()
        reference = {"name": "gone", "uid": "gone", "sequence": 1, "depth": 3}
        await world.run(parent=reference, orphan=True)

        assert (await world.phase("run", "Failed"))["reason"] == "TooDeep"


async def test_a_flow_says_what_is_wrong_with_it(operator: OperatorThread, world: World) -> None:
    await world.flow("wrong", ready=False, script="def handler(system, this):\n  return (")
    await world.flow("first", title="x")
    await world.flow("second", ready=False, title="first")
    await world.run(flow="wrong")

    wrong = await world.condition(FLOWS, "wrong", "False")
    assert wrong["status"]["conditions"][0]["reason"] == "SyntaxError"
    assert wrong["status"]["conditions"][0]["message"].startswith("line 2, column 10: ")
    taken = await world.condition(FLOWS, "second", "False")
    assert taken["status"]["conditions"][0]["reason"] == "TitleTaken"
    assert (await world.phase("run", "Pending", reason="FlowNotReady"))["message"].startswith(
        "Flow wrong is not ready: SyntaxError: line 2"
    )
    await world.cluster.delete(FLOWS, world.namespace, "first")
    await world.condition(FLOWS, "second", "True")


async def test_a_flow_that_changes_keeps_a_revision_for_those_that_run(
    operator: OperatorThread, world: World
) -> None:
    made = await world.flow()
    await world.run()
    status = await world.phase("run", "Starting")
    script = "def handler(system, this): 1"
    await world.cluster.patch(FLOWS, world.namespace, "hello", {"spec": {"script": script}})
    await world.until(
        FLOWS, "hello", lambda item: item["status"]["revision"] != made["status"]["revision"]
    )
    await world.cluster.delete(FLOWS, world.namespace, "hello")
    await world.delete_pod()
    await world.phase("run", "Starting", attempt=2)

    assert status["revision"] == made["status"]["revision"]
    kept = await world.cluster.list(CONTROLLER_REVISIONS, world.namespace)
    used = names.revision_name("hello", made["status"]["revision"])
    assert used in {one["metadata"]["name"] for one in kept.items}


async def test_a_connector_is_ready_once_its_secret_is_there(
    operator: OperatorThread, world: World, cluster: Cluster
) -> None:
    key = {"input": "password", "secretKeyRef": {"name": "git", "key": "token"}}
    body = {
        "apiVersion": names.API_VERSION,
        "kind": "Connector",
        "metadata": {"name": "repo"},
        "spec": {"type": "GIT", "secretInputs": [key]},
    }
    await cluster.create(CONNECTORS, world.namespace, body)
    found = await world.condition(CONNECTORS, "repo", "False")
    assert found["status"]["conditions"][0]["message"] == "not found: Secret git"
    secret = {"metadata": {"name": "git"}, "stringData": {"token": "x"}}
    await cluster.create(SECRETS, world.namespace, secret)

    await world.condition(CONNECTORS, "repo", "True")


async def test_a_flows_runs_are_counted(operator: OperatorThread, world: World) -> None:
    await world.flow()
    await world.run()
    await world.finishes()
    found = await world.until(
        FLOWS, "hello", lambda item: item["status"].get("lastExecution") == "run"
    )

    assert found["status"]["active"] in (0, 1)
    await world.until(FLOWS, "hello", lambda item: item["status"]["active"] == 0)


async def test_as_many_as_the_flow_allows_run_at_once(
    operator: OperatorThread, world: World
) -> None:
    await world.flow(maxConcurrent=2)
    names_ = [f"run-{number}" for number in range(6)]
    await asyncio.gather(*(world.run(name) for name in names_))
    for _ in range(3):
        await world.eventually(lambda: _starting(world, 2))
        for name in await _in_phase(world, "Starting"):
            await world.finishes(name)

    for name in names_:
        await world.phase(name, "Succeeded")


@pytest.mark.parametrize(
    ("spec", "settings"),
    [
        pytest.param({"maxConcurrent": 1}, {}, id="as the flow allows"),
        pytest.param({}, {"max_running": 1}, id="as the installation allows"),
    ],
)
async def test_the_more_urgent_run_leaves_the_queue_first(
    start_operator: StartOperator, world: World, spec: dict[str, Any], settings: dict[str, Any]
) -> None:
    async with start_operator(**settings):
        await world.flow(**spec)
        await world.run("first")
        await world.phase("first", "Starting")
        for name, priority in {"low": -5, "later": 0, "urgent": 10}.items():
            await world.run(name, priority=priority)
            await world.phase(name, "Queued")
        for done, coming in [("first", "urgent"), ("urgent", "later"), ("later", "low")]:
            await world.finishes(done)
            await world.phase(coming, "Starting")
            assert len(await _in_phase(world, "Starting")) == 1


async def _starting(world: World, count: int) -> bool:
    found = await _in_phase(world, "Starting")
    assert len(found) <= count
    return len(found) == count


async def _in_phase(world: World, phase: str) -> list[str]:
    found = await world.cluster.list(EXECUTIONS, world.namespace)
    return [
        one["metadata"]["name"]
        for one in found.items
        if one.get("status", {}).get("phase") == phase
    ]
