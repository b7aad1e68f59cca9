"""Faults, really caused: killed operators, a restarted API server, quotas, a deleted namespace."""

import asyncio
import json
from collections.abc import Awaitable, Callable

from tests.cluster.apiserver import ApiServer
from tests.integration.operator.conftest import MakeOperator, StartOperator
from tests.integration.operator.world import World
from weir.cluster.client import Cluster
from weir.cluster.errors import ClusterError
from weir.cluster.kinds import EXECUTIONS, LEASES, NAMESPACES, PODS, SERVICES, Kind

QUOTAS = Kind("", "v1", "resourcequotas")


async def test_an_operator_killed_at_each_phase_goes_on_where_it_was(
    api_server: ApiServer, make_operator: MakeOperator, world: World
) -> None:
    operator = make_operator()

    async def while_it_is_dead(happens: Callable[[], Awaitable[object]] | None = None) -> None:
        operator.kill()
        if happens is not None:
            await happens()
        await operator.start()

    await operator.start()
    await world.flow()
    await while_it_is_dead(world.run)  # nobody saw it come
    first = await world.pod_of()
    await while_it_is_dead(world.runs)  # Starting
    await while_it_is_dead(lambda: world.reports("Running"))
    await while_it_is_dead(world.delete_pod)  # Running: its Pod is lost unseen
    status = await world.phase("run", "Starting", attempt=2)
    await world.runs()
    await while_it_is_dead(lambda: world.reports("Waiting"))
    await while_it_is_dead(lambda: world.reports("Succeeded"))  # the Pod is left to delete
    await world.no_pods()

    assert status["runner"]["podUID"] != first["metadata"]["uid"]
    assert _pods_made(api_server, world.namespace) == 2, "never two Pods for one attempt"


def _pods_made(api_server: ApiServer, namespace: str) -> int:
    """Count the Pods that were ever made in a namespace, by the API server's own record."""
    entries = map(json.loads, api_server.audit_log.read_text().splitlines())
    return sum(
        entry["verb"] == "create"
        and entry["objectRef"].get("resource") == "pods"
        and entry["objectRef"].get("namespace") == namespace
        and entry["responseStatus"]["code"] == 201
        for entry in entries
    )


async def test_a_cancellation_survives_the_operator(
    make_operator: MakeOperator, world: World
) -> None:
    operator = make_operator()
    await operator.start()
    await world.flow()
    await world.run()
    await world.phase("run", "Starting")
    operator.kill()
    await world.cancel()
    await operator.start()

    assert (await world.phase("run", "Cancelled"))["message"] == "cancelled before it started"
    await world.no_pods()


async def test_a_standby_takes_over_from_a_killed_leader(
    make_operator: MakeOperator, world: World
) -> None:
    leader, standby = make_operator(), make_operator()
    await leader.start()
    await standby.start()
    await world.flow()
    assert (await standby.metrics())["weir_reconciles_total"] == 0
    leader.kill()
    begin = asyncio.get_running_loop().time()
    await world.run()
    await world.phase("run", "Starting")

    assert asyncio.get_running_loop().time() - begin < 12  # 3 s of Lease, and its own start
    lease = await world.cluster.get(LEASES, world.namespace, "weir-operator")
    assert lease["spec"]["holderIdentity"] == "operator-2"


async def test_a_leader_that_is_told_to_stop_does_not_let_the_next_one_wait(
    make_operator: MakeOperator, world: World
) -> None:
    leader, standby = make_operator(WEIR_LEASE_SECONDS="60"), make_operator()
    await leader.start()
    await standby.start()
    await world.flow()
    assert leader.stop() == 0
    await world.run()

    await world.phase("run", "Starting")


async def test_a_leader_that_loses_its_lease_ends(
    make_operator: MakeOperator, world: World
) -> None:
    leader = make_operator()
    await leader.start()
    await world.cluster.patch(
        LEASES, world.namespace, "weir-operator", {"spec": {"holderIdentity": "somebody"}}
    )

    async def has_ended() -> bool:
        return not leader.is_running

    await world.eventually(has_ended)


async def test_a_restart_of_the_api_server_is_survived(
    api_server: ApiServer, start_operator: StartOperator, world: World
) -> None:
    async with start_operator(lease_seconds=60) as operator:
        await world.flow()
        await world.run("before")
        await world.phase("before", "Starting")
        await asyncio.to_thread(api_server.restart_apiserver)
        await world.eventually(lambda: _answers(world.cluster))
        await world.run("after")
        await world.finishes("before")
        await world.finishes("after")
        await world.no_pods()
        assert await operator.status("/healthz") == 200


async def _answers(cluster: Cluster) -> bool:
    try:
        await cluster.list(NAMESPACES)
    except ClusterError:
        return False
    return True


async def test_a_quota_holds_a_run_back_and_says_so(
    controlled_api_server: ApiServer, controlled_world: World, make_operator: MakeOperator
) -> None:
    world = controlled_world
    quota = {"metadata": {"name": "few"}, "spec": {"hard": {"pods": "0"}}}
    await world.cluster.create(QUOTAS, world.namespace, quota)
    await world.until(QUOTAS, "few", lambda item: "hard" in item.get("status", {}))
    async with make_operator(
        controlled_api_server.kubeconfig,
        WEIR_NAMESPACE=world.namespace,
        WEIR_WATCH_NAMESPACES=world.namespace,
    ):
        await world.flow()
        await world.run()
        status = await world.phase("run", "Queued", reason="PodRefused")
        assert "exceeded quota: few" in status["message"]
        await world.cluster.delete(QUOTAS, world.namespace, "few")

        await world.phase("run", "Starting")


async def test_a_namespace_that_is_deleted_takes_its_runs_and_nothing_else(
    controlled_api_server: ApiServer, controlled_world: World, make_operator: MakeOperator
) -> None:
    cluster, system = controlled_world.cluster, controlled_world.namespace
    doomed, other = f"doomed-{system}", f"other-{system}"
    worlds = [World(cluster, name) for name in (doomed, other)]
    for world in worlds:
        await cluster.create(NAMESPACES, None, {"metadata": {"name": world.namespace}})
        await world.until(Kind("", "v1", "serviceaccounts"), "default", lambda account: True)
    async with make_operator(
        controlled_api_server.kubeconfig,
        WEIR_NAMESPACE=system,
        WEIR_WATCH_NAMESPACES="",
    ) as operator:
        for world in worlds:
            await world.flow()
            for number in range(5):
                await world.run(f"run-{number}")
                await world.phase(f"run-{number}", "Starting")
        await cluster.delete(NAMESPACES, None, doomed)
        # Nobody plays a kubelet that would let the Pods go.
        for pod in await worlds[0].pods():
            await cluster.delete(PODS, doomed, pod["metadata"]["name"], grace_seconds=0)
        await worlds[0].eventually(lambda: _is_gone(cluster, doomed))
        before = (await operator.metrics())["weir_reconciles_total"]
        await worlds[1].run("later")
        await worlds[1].finishes("later")
        await worlds[1].finishes("run-0")

        after = (await operator.metrics())["weir_reconciles_total"]
        assert after - before < 40, "what is gone is not looked at for ever"
        assert await operator.status("/healthz") == 200


async def _is_gone(cluster: Cluster, namespace: str) -> bool:
    found = await cluster.list(NAMESPACES)
    return namespace not in {one["metadata"]["name"] for one in found.items}


async def test_deleting_an_execution_deletes_its_tree_and_its_pods(
    controlled_api_server: ApiServer, controlled_world: World, make_operator: MakeOperator
) -> None:
    world = controlled_world
    async with make_operator(
        controlled_api_server.kubeconfig,
        WEIR_NAMESPACE=world.namespace,
        WEIR_WATCH_NAMESPACES=world.namespace,
    ):
        await world.flow()
        parent = await world.run()
        await world.phase("run", "Starting")
        await world.child(parent, "child")
        await world.phase("child", "Starting")
        await world.cluster.delete(EXECUTIONS, world.namespace, "run")

        await world.phase("child", "Cancelled")


async def test_an_operator_stays_small_with_a_thousand_ended_runs(
    make_operator: MakeOperator, world: World
) -> None:
    async def ended(number: int) -> None:
        inputs = {"text": "x" * 2000}
        await world.run(f"run-{number}", inputs=inputs)
        await world.reports("Failed", f"run-{number}", outputs=inputs)

    await _many(ended, 1000)
    async with make_operator() as operator:
        await world.flow()
        await world.run("last")
        await world.phase("last", "Starting")

        assert operator.memory < 150 * 2**20
        assert (await operator.metrics())["weir_reconciles_total"] < 20


async def _many(make: Callable[[int], Awaitable[None]], count: int, at_once: int = 20) -> None:
    gate = asyncio.Semaphore(at_once)

    async def one(number: int) -> None:
        async with gate:
            await make(number)

    await asyncio.gather(*(one(number) for number in range(count)))


async def test_the_address_of_the_server_is_that_of_its_service(
    make_operator: MakeOperator, world: World
) -> None:
    port = {"name": "https", "port": 8443}
    body = {"metadata": {"name": "weir-server"}, "spec": {"ports": [port]}}
    service = await world.cluster.create(SERVICES, world.namespace, body)
    async with make_operator(WEIR_SERVER_ADDRESS=""):
        await world.flow()
        await world.run()
        pod = await world.pod_of()

    variables = {one["name"]: one["value"] for one in pod["spec"]["containers"][0]["env"]}
    assert variables["WEIR_SERVER"] == f"{service['spec']['clusterIP']}:8443"
    assert variables["WEIR_SERVER_CA"].startswith("-----BEGIN CERTIFICATE-----")
