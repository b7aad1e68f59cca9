"""Faults, caused for real: programs killed, Pods and namespaces deleted, servers restarted."""

import asyncio
import signal

import pytest

from tests.e2e.given import WAIT_FOR_GO, Given
from tests.e2e.installation import (
    Component,
    signal_processes_of,
    touch_in,
    until_processes_end,
)
from tests.e2e.run import Run
from tests.e2e.then import Then
from tests.e2e.when import When
from tests.e2e.world import World
from weir.cluster.kinds import NAMESPACES

pytestmark = pytest.mark.slow

WAITS = WAIT_FOR_GO + "def handler(system, this):\n    wait_for_go()"
DOUBLE = "def handler(system, this, inputs): return {'twice': 2 * inputs['n']}"


async def test_a_killed_operator_loses_no_run_in_any_phase(
    world: World, given: Given, when: When, then: Then
) -> None:
    label = f"weir.dev/{world.namespace}"
    await given.flow("held", "def handler(system, this): pass", suspend=True)
    await given.flow("waits", WAITS)
    await given.flow("limited", WAITS, max_concurrent=1)
    await given.flow("picky", WAITS, runner={"nodeSelector": {label: "yes"}})
    pending = await when.executed("held")
    running, cancelled = await when.executed("waits"), await when.executed("waits")
    first = await when.executed("limited")
    await then(first).has_a_running_pod()
    queued = await when.executed("limited")
    starting = await when.executed("picky")
    waiting = await when.executed(script="def handler(system, this): this.flow('waits')")
    await then(pending).stays("Pending", "FlowSuspended")
    await then(queued).stays("Queued", "FlowLimit")
    await then(starting).reaches("Starting")
    for run in (running, cancelled, first):
        await then(run).reaches("Running")
    await then(waiting).reaches("Waiting")
    (child,) = waiting.children
    await then(child).has_a_running_pod()

    await world.installation.kill(world.cluster, "operator")
    await when.flow_changed("held", suspend=False)
    await when.cancelled(cancelled)
    late = await when.executed("waits")
    for run in (running, first, child):
        await when.told(run)
    for run in (running, first, child, waiting):
        await then(run).succeeds(within=20)  # which needs no operator
    await world.installation.kubectl("label", "nodes", "--all", f"{label}=yes")
    try:
        for run in (queued, starting, late):
            await then(run).has_a_running_pod(within=90)
            await when.told(run)
            await then(run).succeeds()
    finally:
        await world.installation.kubectl("label", "nodes", "--all", f"{label}-")
    await then(pending).succeeds()
    await then(cancelled).is_cancelled()
    for run in (pending, running, cancelled, first, queued, starting, waiting, child, late):
        assert run.status["attempt"] == 1
        await then(run).has_no_pods()


async def test_an_operator_killed_while_runs_start_starts_each_once(
    world: World, given: Given, when: When, then: Then
) -> None:
    await given.flow("double", DOUBLE)
    runs: list[Run] = []
    for burst in range(2):
        fresh = [await when.executed("double", inputs={"n": n}) for n in range(8)]
        runs += fresh
        await then(fresh[2]).reaches("Starting", "Running", "Succeeded")
        await world.installation.kill(world.cluster, "operator")
        del burst
    for run in runs:
        await then(run).succeeds(within=120)
        assert run.status["attempt"] == 1


async def test_a_server_killed_while_calls_are_in_flight_loses_and_doubles_nothing(
    world: World, given: Given, when: When, then: Then
) -> None:
    await given.flow("waits", WAITS)
    await given.flow("double", DOUBLE)
    await given.flow("calls", WAITS + "\n    return this.flow('double', n=4).get('output_value')")
    waiting = await when.executed(script="def handler(system, this): this.flow('waits')")
    calling, ending = await when.executed("calls"), await when.executed("waits")
    await then(waiting).reaches("Waiting")
    (child,) = waiting.children
    for run in (child, calling, ending):
        await then(run).has_a_running_pod()

    await world.installation.kill(world.cluster, "server")
    for run in (child, calling, ending):
        await when.told(run)
    late = await when.executed("double", inputs={"n": 1})

    await then(waiting).succeeds(within=90)
    await then(calling).succeeds(outputs={"twice": 8}, within=90)
    await then(ending).succeeds(within=90)
    await then(late).succeeds(outputs={"twice": 2}, within=90)
    await then(waiting).has_children(1)
    await then(calling).has_children(1)
    for run in (waiting, calling, ending, child, late):
        assert run.status["attempt"] == 1


async def test_a_server_killed_amid_a_row_of_child_calls_makes_each_child_once(
    world: World, given: Given, when: When, then: Then
) -> None:
    await given.flow("double", DOUBLE)
    run = await when.executed(
        script="""
        def handler(system, this):
            return {'sum': sum(
                this.flow('double', n=n).get('output_value')['twice'] for n in range(8)
            )}
        """
    )
    await then(run).until(lambda: len(run.children) >= 3, "three children")
    await world.installation.kill(world.cluster, "server")
    await then(run).succeeds(outputs={"sum": 56}, within=120)
    await then(run).has_children(8)


async def test_a_pod_lost_while_the_server_is_away_is_resumed_with_its_journal(
    world: World, given: Given, when: When, then: Then
) -> None:
    await given.flow("double", DOUBLE)
    await given.flow(
        "parent",
        WAIT_FOR_GO
        + """
def handler(system, this):
    one = this.flow('double', n=1).get('output_value')['twice']
    this.save(message='one made')
    wait_for_go()
    return {'sum': one + this.flow('double', n=2).get('output_value')['twice']}
""",
    )
    run = await when.executed("parent")
    await then(run).says("one made")
    await world.installation.kill(world.cluster, "server")
    await when.pod_deleted(run, at_once=True)
    await then(run).has_a_running_pod(attempt=2)
    await when.told(run)
    await then(run).succeeds(outputs={"sum": 6}, within=90)
    await then(run).has_children(2)


@pytest.mark.own_node
async def test_a_restart_of_the_api_server_is_outlived_by_all_runs(
    world: World, given: Given, when: When, then: Then
) -> None:
    bare = world.installation.bare
    assert bare is not None
    await given.flow("waits", WAITS)
    await given.flow("limited", WAITS, max_concurrent=1)
    waiting = await when.executed(script="def handler(system, this): this.flow('waits')")
    running = await when.executed("limited")
    await then(running).has_a_running_pod()
    queued = await when.executed("limited")
    await then(queued).stays("Queued", "FlowLimit")
    await then(waiting).reaches("Waiting")
    (child,) = waiting.children
    await then(child).has_a_running_pod()

    await asyncio.to_thread(bare.restart_apiserver)
    for run in (child, running):
        await when.told(run)
    await then(waiting).succeeds()
    await then(running).succeeds()
    await then(queued).has_a_running_pod()
    await when.told(queued)
    await then(queued).succeeds()
    for run in (waiting, child, running, queued):
        assert run.status["attempt"] == 1


@pytest.mark.own_node
async def test_a_restart_of_the_kubelet_is_outlived_by_all_runs(
    world: World, given: Given, when: When, then: Then
) -> None:
    bare = world.installation.bare
    assert bare is not None
    await given.flow("waits", WAITS)
    run = await when.executed("waits")
    await then(run).has_a_running_pod()
    bare.kill("kubelet")
    late = await when.executed("waits")
    await then(late).reaches("Starting")
    bare.start("kubelet")
    for one in (late, run):
        await then(one).has_a_running_pod()
        await when.told(one)
        await then(one).succeeds()
        assert one.status["attempt"] == 1


@pytest.mark.own_node
async def test_a_frozen_pod_that_wakes_when_its_run_has_another_reports_in_vain(
    world: World, given: Given, when: When, then: Then
) -> None:
    bare = world.installation.bare
    assert bare is not None
    await given.flow(
        "tells",
        "import socket\n"
        + WAIT_FOR_GO
        + "def handler(system, this):\n"
        + "    wait_for_go()\n"
        + "    return {'pod': socket.gethostname()}\n",
    )
    run = await when.executed("tells")
    await then(run).has_a_running_pod()
    (stale,) = run.pods
    # A kubelet that dies before it has told of a restarted server leaves it without endpoints.
    await world.installation.until_ready(world.cluster, "operator")
    await world.installation.until_ready(world.cluster, "server")
    bare.kill("kubelet")  # which would end it, as would the server's word that it is not needed
    signal_processes_of(stale, signal.SIGSTOP)
    try:
        await when.pod_deleted(run, at_once=True)
        await then(run).until(lambda: run.status.get("attempt") == 2, "a second attempt")
        touch_in(stale, "/tmp/go")
        signal_processes_of(stale, signal.SIGCONT)
        await until_processes_end(stale)  # it has reported, and was refused
        assert run.phase == "Starting"
    finally:
        bare.start("kubelet")
    await then(run).has_a_running_pod(attempt=2)
    second = run.pod
    await when.told(run)
    await then(run).succeeds(outputs={"pod": second})
    assert second != stale["metadata"]["name"]


async def test_a_namespace_deleted_amid_its_runs_goes_and_harms_nobody(
    world: World, given: Given, when: When, then: Then
) -> None:
    restarts = {name: await _restarts(world, name) for name in ("operator", "server")}
    await given.flow("waits", WAITS)
    await given.flow("parent", "def handler(system, this): this.flow('waits')")
    run = await when.executed("parent")
    (child,) = await then(run).has_children(1)
    await then(child).has_a_running_pod()
    await when.namespace_deleted()
    await then(run).is_gone(within=90)
    await then(child).is_gone(within=90)
    await then(child).has_no_pods(within=90)
    async with asyncio.timeout(60):
        namespaces = world.cluster.watch(NAMESPACES, fields=f"metadata.name={world.namespace}")
        async for change in namespaces:
            if change.type in ("DELETED", "SYNCED") and await _is_gone(world):
                break
    for name, before in restarts.items():
        assert await _restarts(world, name) == before


async def _is_gone(world: World) -> bool:
    found = await world.cluster.list(NAMESPACES, fields=f"metadata.name={world.namespace}")
    return not found.items


async def _restarts(world: World, component: str) -> dict[str, int]:
    """Return how often the containers of a component were restarted, by Pod."""
    known: Component = "operator" if component == "operator" else "server"
    return {
        pod["metadata"]["name"]: pod["status"]["containerStatuses"][0]["restartCount"]
        for pod in await world.installation.pods_of(world.cluster, known)
    }
