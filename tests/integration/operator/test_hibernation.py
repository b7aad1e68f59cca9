"""Runs without a Pod, over a real API server: its rules, its quotas, and restarts."""

from __future__ import annotations

import pytest

from tests.cluster.apiserver import ApiServer
from tests.integration.operator.conftest import MakeOperator
from tests.integration.operator.processes import OperatorThread
from tests.integration.operator.world import World
from weir.api.resource import JsonObject
from weir.cluster.kinds import EXECUTIONS, Kind

QUOTAS = Kind("", "v1", "resourcequotas")


async def waits(world: World, name: str = "run") -> None:
    """A run has a Pod, and waits in it."""
    await world.phase(name, "Starting")
    await world.runs(name)
    await world.reports("Waiting", name, waitingFor=[{"kind": "Time", "name": "later"}])


async def gives_back(world: World, name: str = "run") -> None:
    """The server has the run's Pod given back."""
    status: JsonObject = {"phase": "Waiting", "runner": None, "hibernations": 1}
    await world.cluster.patch(EXECUTIONS, world.namespace, name, {"status": status}, status=True)


async def wakes(world: World, name: str = "run") -> None:
    """The server wakes the run."""
    status: JsonObject = {"phase": "Queued", "reason": "Woken", "waitingFor": None}
    await world.cluster.patch(EXECUTIONS, world.namespace, name, {"status": status}, status=True)


async def desire(world: World, state: str, name: str = "run") -> None:
    body = {"spec": {"desiredState": state}}
    await world.cluster.patch(EXECUTIONS, world.namespace, name, body)


async def test_a_run_gives_its_pod_back_and_goes_on_in_another(
    operator: OperatorThread, world: World
) -> None:
    await world.flow()
    await world.run()
    await waits(world)
    first = (await world.pod_of())["metadata"]["name"]
    await gives_back(world)
    await world.no_pods()
    await wakes(world)
    shown = await world.phase("run", "Starting")
    assert shown["attempt"] == 2
    assert "losses" not in shown
    assert shown["runner"]["pod"] != first
    await world.finishes()
    await world.no_pods()


async def test_a_run_without_a_pod_outlives_the_operator(
    make_operator: MakeOperator, world: World
) -> None:
    async with make_operator():
        await world.flow()
        await world.run()
        await waits(world)
        await gives_back(world)
        await world.no_pods()
    await wakes(world)  # while there is no operator
    async with make_operator():
        assert (await world.phase("run", "Starting"))["attempt"] == 2
        await world.finishes()


@pytest.mark.parametrize("cleared", ["before", "after"])
async def test_a_pod_given_back_around_the_operators_end_is_deleted_once_it_is_back(
    make_operator: MakeOperator, world: World, cleared: str
) -> None:
    async with make_operator() as operator:
        await world.flow()
        await world.run()
        await waits(world)
        if cleared == "before":
            await gives_back(world)
        operator.kill()
    if cleared == "after":
        await gives_back(world)
    async with make_operator():
        await world.no_pods()
        assert (await world.phase("run", "Waiting"))["attempt"] == 1


async def test_a_run_without_a_pod_is_paused_resumed_and_cancelled(
    operator: OperatorThread, world: World
) -> None:
    await world.flow()
    await world.run()
    await waits(world)
    await gives_back(world)
    await desire(world, "Paused")
    shown = await world.phase("run", "Paused")
    assert "pausedAt" in shown
    await desire(world, "Running")
    shown = await world.phase("run", "Waiting")
    assert "pausedAt" not in shown
    await desire(world, "Cancelled")
    await world.phase("run", "Cancelled", reason="Cancelled")
    await world.no_pods()


async def test_a_run_without_a_pod_times_out(operator: OperatorThread, world: World) -> None:
    await world.flow(timeout="3s")
    await world.run()
    await waits(world)
    await gives_back(world)
    await world.phase("run", "Failed", reason="TimedOut")


async def test_a_lost_pod_ends_a_run_that_used_threads(
    operator: OperatorThread, world: World
) -> None:
    await world.flow()
    await world.run()
    await world.phase("run", "Starting")
    await world.runs()
    await world.reports("Running", resumable=False)
    await world.delete_pod()
    shown = await world.phase("run", "Failed", reason="RunnerLost")
    assert "second thread" in shown["message"]


async def test_under_a_quota_parents_make_room_for_their_children(
    controlled_api_server: ApiServer, controlled_world: World, make_operator: MakeOperator
) -> None:
    """A quota of two Pods; the second waits for a third, for which the first makes room."""
    world = controlled_world
    body = {"metadata": {"name": "limits"}, "spec": {"hard": {"pods": "2"}}}
    await world.cluster.create(QUOTAS, world.namespace, body)
    await world.until(QUOTAS, "limits", lambda item: "hard" in item.get("status", {}))
    async with make_operator(
        controlled_api_server.kubeconfig,
        WEIR_NAMESPACE=world.namespace,
        WEIR_WATCH_NAMESPACES=world.namespace,
    ):
        await world.flow()
        top = await world.run("top")
        await waits(world, "top")
        middle = await world.child(top, "middle")
        await waits(world, "middle")
        await world.child(middle, "leaf")

        shown = await world.until(
            EXECUTIONS, "top", lambda item: item["status"].get("hibernations") == 1
        )
        assert shown["status"]["phase"] == "Waiting"
        await world.phase("leaf", "Starting")
        assert "runner" in (await world.phase("middle", "Waiting"))
