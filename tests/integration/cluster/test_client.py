"""The cluster client on a real API server: errors, pages, and a watch that survives."""

import asyncio
from datetime import UTC, datetime

import pytest

from tests.cluster.apiserver import ApiServer
from weir.api import names
from weir.api.execution import Execution
from weir.api.phases import Phase
from weir.api.resource import JsonObject
from weir.cluster import client
from weir.cluster.client import Cluster
from weir.cluster.errors import AlreadyExists, Conflict, Invalid, NotFound, Refused
from weir.cluster.kinds import CONFIG_MAPS, EXECUTIONS
from weir.cluster.transition import transition
from weir.cluster.watching import Change, ChangeType
from weir.core.moves import StatusChange, move

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def config_map(name: str, **data: str) -> JsonObject:
    return {"metadata": {"name": name, "labels": {"of": "test"}}, "data": data}


async def test_errors_say_what_follows(cluster: Cluster, namespace: str) -> None:
    with pytest.raises(NotFound, match='"a" not found'):
        await cluster.get(CONFIG_MAPS, namespace, "a")
    first = await cluster.create(CONFIG_MAPS, namespace, config_map("a"))
    with pytest.raises(AlreadyExists):
        await cluster.create(CONFIG_MAPS, namespace, config_map("a"))
    stale = {"metadata": {"resourceVersion": first["metadata"]["resourceVersion"]}}
    await cluster.patch(CONFIG_MAPS, namespace, "a", {"data": {"x": "1"}})
    with pytest.raises(Conflict):
        await cluster.patch(CONFIG_MAPS, namespace, "a", stale | {"data": {"x": "2"}})
    with pytest.raises(Invalid):
        await cluster.create(CONFIG_MAPS, namespace, config_map("Not A Name"))


async def test_a_user_without_rights_is_refused(api_server: ApiServer, namespace: str) -> None:
    kubeconfig = api_server.kubeconfig_for("nobody")
    async with await Cluster.connect(kubeconfig=kubeconfig) as nobody:
        with pytest.raises(Refused, match="cannot get resource"):
            await nobody.get(CONFIG_MAPS, namespace, "a")


async def test_deleting_what_is_gone_or_was_replaced_is_fine(
    cluster: Cluster, namespace: str
) -> None:
    await cluster.delete(CONFIG_MAPS, namespace, "a")
    await cluster.create(CONFIG_MAPS, namespace, config_map("a"))
    await cluster.delete(CONFIG_MAPS, namespace, "a", uid="of-another")
    assert await cluster.get(CONFIG_MAPS, namespace, "a")


async def test_a_list_is_read_in_pages(
    cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "PAGE", 3)
    for number in range(8):
        await cluster.create(CONFIG_MAPS, namespace, config_map(f"m{number}"))
    listing = await cluster.list(CONFIG_MAPS, namespace, labels="of=test")
    assert [item["metadata"]["name"] for item in listing.items] == [f"m{n}" for n in range(8)]


async def test_a_watch_survives_a_restart_of_the_api_server(
    cluster: Cluster, namespace: str, api_server: ApiServer
) -> None:
    changes: asyncio.Queue[Change] = asyncio.Queue()

    async def follow() -> None:
        async for change in cluster.watch(CONFIG_MAPS, namespace, labels="of=test"):
            if change.type != ChangeType.ALIVE:
                changes.put_nowait(change)

    async def names_until(name: str) -> list[str]:
        told: list[str] = []
        while not told or told[-1] != name:
            change = await asyncio.wait_for(changes.get(), 30)
            told.append(change.object.get("metadata", {}).get("name", ""))
        return told

    watching = asyncio.create_task(follow())
    await cluster.create(CONFIG_MAPS, namespace, config_map("before"))
    assert (await names_until("before")).count("before") == 1
    await asyncio.to_thread(api_server.restart_apiserver)
    await cluster.create(CONFIG_MAPS, namespace, config_map("after"))
    told = await names_until("after")
    watching.cancel()
    # Either the watch went on, or everything was told again: nothing is missing.
    assert "before" not in told or told.index("before") < told.index("after")


async def test_a_transition_is_guarded_by_the_version_it_was_decided_on(
    cluster: Cluster, namespace: str
) -> None:
    body = {
        "apiVersion": names.API_VERSION,
        "kind": "Execution",
        "metadata": {"name": "x"},
        "spec": {"flow": "f"},
    }
    seen = Execution.model_validate(await cluster.create(EXECUTIONS, namespace, body))
    queued = await transition(cluster, seen, move(seen, Phase.QUEUED, now=NOW))
    assert queued.phase == Phase.QUEUED
    with pytest.raises(Conflict):
        await transition(cluster, seen, move(seen, Phase.STARTING, now=NOW))
    ended = await transition(cluster, queued, move(queued, Phase.FAILED, now=NOW, message="no"))
    assert {one.type for one in ended.status.conditions} == {"Failed", "Ended"}
    with pytest.raises(Invalid, match="not legal"):
        await transition(cluster, ended, StatusChange({"phase": "Running"}))


async def test_a_transition_never_hits_a_namesake(cluster: Cluster, namespace: str) -> None:
    body = {
        "apiVersion": names.API_VERSION,
        "kind": "Execution",
        "metadata": {"name": "x"},
        "spec": {"flow": "f"},
    }
    seen = Execution.model_validate(await cluster.create(EXECUTIONS, namespace, body))
    await cluster.delete(EXECUTIONS, namespace, "x")
    await cluster.create(EXECUTIONS, namespace, body)
    with pytest.raises(Conflict):
        await transition(cluster, seen, move(seen, Phase.QUEUED, now=NOW))


async def test_applying_makes_an_object_and_takes_back_what_it_no_longer_says(
    cluster: Cluster, namespace: str
) -> None:
    made = await apply(cluster, namespace, a="1", b="2")
    await cluster.patch(CONFIG_MAPS, namespace, "a", {"data": {"a": "9", "theirs": "3"}})
    applied = await apply(cluster, namespace, a="1")
    assert applied["data"] == {"a": "1", "theirs": "3"}
    assert applied["metadata"]["uid"] == made["metadata"]["uid"]


async def test_applying_what_is_there_already_writes_nothing(
    cluster: Cluster, namespace: str
) -> None:
    first = await apply(cluster, namespace, a="1")
    second = await apply(cluster, namespace, a="1")
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


async def test_applying_to_an_object_that_was_made_anew_is_a_conflict(
    cluster: Cluster, namespace: str
) -> None:
    made = await apply(cluster, namespace, a="1")
    await cluster.delete(CONFIG_MAPS, namespace, "a")
    with pytest.raises(Conflict):
        await apply(cluster, namespace, uid=made["metadata"]["uid"], a="2")
    await apply(cluster, namespace, a="1")
    with pytest.raises(Conflict):
        await apply(cluster, namespace, uid=made["metadata"]["uid"], a="2")


async def test_who_acts_as_another_has_that_ones_rights(cluster: Cluster, namespace: str) -> None:
    nobody = cluster.acting_as(f"system:serviceaccount:{namespace}:nobody")
    with pytest.raises(Refused, match=f"{namespace}:nobody.* cannot patch resource"):
        await apply(nobody, namespace, a="1")
    assert await apply(cluster, namespace, a="1")


async def apply(cluster: Cluster, namespace: str, *, uid: str = "", **data: str) -> JsonObject:
    metadata = {"name": "a"} | ({"uid": uid} if uid else {})
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
    return await cluster.apply(CONFIG_MAPS, namespace, "a", body, manager="test")
