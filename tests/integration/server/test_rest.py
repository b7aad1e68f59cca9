"""REST, as people with and without rights see it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.cluster.apiserver import ApiServer
from tests.integration.server.conftest import RunnerFor, Served
from tests.integration.server.worlds import SCRIPT, Runner, World
from weir.api import names
from weir.api.execution import Execution
from weir.cluster.errors import Refused
from weir.cluster.kinds import SUBJECT_ACCESS_REVIEWS, TOKEN_REVIEWS, Kind
from weir.server.retention import archived
from weir.storage import archive

# Whichever the database is, the code that is tried here is the same.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def token_of(world: World) -> object:
    """Return tokens of users that may, or may not, read the namespace's Executions."""
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    await world.cluster.raw(
        "POST",
        f"{rbac}/namespaces/{world.namespace}/roles",
        {
            "metadata": {"name": "reader"},
            "rules": [{"apiGroups": [names.GROUP], "resources": ["executions"], "verbs": ["get"]}],
        },
    )

    async def token(name: str, *, reads: bool) -> str:
        accounts = f"/api/v1/namespaces/{world.namespace}/serviceaccounts"
        await world.cluster.raw("POST", accounts, {"metadata": {"name": name}})
        if reads:
            subject = {"kind": "ServiceAccount", "name": name, "namespace": world.namespace}
            await world.cluster.raw(
                "POST",
                f"{rbac}/namespaces/{world.namespace}/rolebindings",
                {
                    "metadata": {"name": name},
                    "subjects": [subject],
                    "roleRef": {
                        "apiGroup": "rbac.authorization.k8s.io",
                        "kind": "Role",
                        "name": "reader",
                    },
                },
            )
        request = {"spec": {"expirationSeconds": 600}}
        answer = await world.cluster.raw("POST", f"{accounts}/{name}/token", request)
        found: str = answer["status"]["token"]
        return found

    return token


@pytest.fixture
async def client(server: Served) -> AsyncIterator[httpx.AsyncClient]:
    context = ssl.create_default_context(cadata=server.authority)
    async with httpx.AsyncClient(
        base_url=server.url, verify=context, trust_env=False, timeout=20
    ) as client:
        yield client


def url(world: World, name: str) -> str:
    return f"/api/v1/namespaces/{world.namespace}/executions/{name}"


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@pytest.fixture
async def ended(world: World, runner_for: RunnerFor) -> tuple[Execution, Runner]:
    execution = await world.execution(script=SCRIPT, protectOutputs=["pin"])
    runner = await runner_for(execution)
    await runner.log("one", "two")
    await runner.end(outputs={"pin": 1234, "rows": ["x" * 1000] * 100})
    return await world.get(execution.metadata.name), runner


async def test_a_reader_reads(
    world: World, client: httpx.AsyncClient, token_of: object, ended: tuple[Execution, Runner]
) -> None:
    token = await token_of("reader", reads=True)  # type: ignore[operator]
    name = ended[0].metadata.name
    answer = await client.get(url(world, name), headers=bearer(token))
    assert answer.status_code == 200
    assert answer.json()["status"]["phase"] == "Succeeded"
    answer = await client.get(f"{url(world, name)}/outputs", headers=bearer(token))
    assert answer.json() == {"pin": "***", "rows": ["x" * 1000] * 100}
    answer = await client.get(f"{url(world, name)}/logs", headers=bearer(token))
    lines = [line for line in answer.text.splitlines() if line]
    assert len(lines) == 2
    cursor = httpx.Response(200, text=lines[0]).json()["cursor"]
    answer = await client.get(
        f"{url(world, name)}/logs", params={"after": cursor}, headers=bearer(token)
    )
    assert [httpx.Response(200, text=line).json()["text"] for line in answer.text.splitlines()] == [
        "two"
    ]
    answer = await client.get(url(world, "nope"), headers=bearer(token))
    assert (answer.status_code, answer.json()["code"]) == (404, "NotFound")
    answer = await client.get(
        f"{url(world, name)}/logs", params={"after": "x"}, headers=bearer(token)
    )
    assert answer.status_code == 400


async def test_a_stranger_is_not_told_what_exists(
    world: World, client: httpx.AsyncClient, token_of: object, ended: tuple[Execution, Runner]
) -> None:
    token = await token_of("stranger", reads=False)  # type: ignore[operator]
    answers = [
        await client.get(url(world, name) + rest, headers=bearer(token))
        for name in (ended[0].metadata.name, "nope")
        for rest in ("", "/outputs", "/logs")
    ]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.text for answer in answers}) == 1


@pytest.mark.parametrize("token", [None, "nonsense"])
async def test_who_is_unknown_is_refused(
    world: World, client: httpx.AsyncClient, ended: tuple[Execution, Runner], token: str | None
) -> None:
    headers = bearer(token) if token else {}
    answer = await client.get(url(world, ended[0].metadata.name), headers=headers)
    assert answer.status_code == 401


async def test_a_runners_token_reads_nothing(
    world: World, client: httpx.AsyncClient, ended: tuple[Execution, Runner]
) -> None:
    name = ended[0].metadata.name
    answer = await client.get(url(world, name), headers=bearer(ended[1]._token))
    assert answer.status_code in (401, 403)


async def test_a_client_certificate_will_do(
    world: World, server: Served, api_server: ApiServer, ended: tuple[Execution, Runner]
) -> None:
    name = ended[0].metadata.name
    for user, groups, status in (("root", ["system:masters"], 200), ("nobody", [], 403)):
        context = _with_client_certificate(server, api_server.kubeconfig_for(user, groups))
        async with httpx.AsyncClient(verify=context, trust_env=False) as client:
            answer = await client.get(server.url + url(world, name))
            assert answer.status_code == status


def _with_client_certificate(server: Served, kubeconfig: Path) -> ssl.SSLContext:
    import base64
    import tempfile

    user = yaml.safe_load(kubeconfig.read_text())["users"][0]["user"]
    context = ssl.create_default_context(cadata=server.authority)
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for part in ("certificate", "key"):
            file = Path(folder) / part
            if f"client-{part}-data" in user:
                file.write_bytes(base64.b64decode(user[f"client-{part}-data"]))
            else:
                file.write_bytes(Path(user[f"client-{part}"]).read_bytes())
            files.append(file)
        context.load_cert_chain(files[0], files[1])
    return context


async def test_an_installation_without_reviews_lets_people_ask_for_themselves(
    world: World,
    server: Served,
    client: httpx.AsyncClient,
    token_of: object,
    ended: tuple[Execution, Runner],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    create = server.runtime.cluster.create

    async def without_reviews(kind: Kind, *arguments: Any) -> Any:
        if kind in (TOKEN_REVIEWS, SUBJECT_ACCESS_REVIEWS):
            raise Refused("forbidden", status=403)
        return await create(kind, *arguments)

    monkeypatch.setattr(server.runtime.cluster, "create", without_reviews)
    name = ended[0].metadata.name
    for user, reads, status in (("reader", True, 200), ("stranger", False, 403)):
        token = await token_of(user, reads=reads)  # type: ignore[operator]
        for _ in range(2):
            answer = await client.get(url(world, name), headers=bearer(token))
            assert answer.status_code == status
    assert (await client.get(url(world, name), headers=bearer("no"))).status_code == 401


async def test_a_log_is_followed_to_its_end(
    world: World, client: httpx.AsyncClient, token_of: object, runner_for: RunnerFor
) -> None:
    token = await token_of("follower", reads=True)  # type: ignore[operator]
    execution = await world.execution(script=SCRIPT)
    runner = await runner_for(execution)
    await runner.log("one")
    texts: list[str] = []
    begun = asyncio.Event()

    async def follow() -> None:
        logs = f"{url(world, execution.metadata.name)}/logs?follow=1"
        async with client.stream("GET", logs, headers=bearer(token)) as answer:
            async for line in answer.aiter_lines():
                texts.append(httpx.Response(200, text=line).json()["text"])
                begun.set()

    following = asyncio.create_task(follow())
    await begun.wait()
    await runner.log("one", "two")
    await runner.end()
    async with asyncio.timeout(10):
        await following
    assert texts == ["one", "two"]


async def test_the_archive_answers_when_the_object_is_gone(
    world: World,
    server: Served,
    client: httpx.AsyncClient,
    token_of: object,
    ended: tuple[Execution, Runner],
) -> None:
    token = await token_of("historian", reads=True)  # type: ignore[operator]
    name = ended[0].metadata.name
    from weir.cluster.kinds import EXECUTIONS

    item = await world.cluster.get(EXECUTIONS, world.namespace, name)
    row = archived(item, ended[0].uid, server.runtime.now())
    await server.runtime.database.write(lambda sql: archive.put(sql, [row]))
    await world.delete(name)
    answer = await client.get(url(world, name), headers=bearer(token))
    assert answer.json()["status"]["phase"] == "Succeeded"
    answer = await client.get(f"{url(world, name)}/logs", headers=bearer(token))
    assert len(answer.text.splitlines()) == 2
    answer = await client.get(f"{url(world, name)}/outputs", headers=bearer(token))
    assert answer.json()["pin"] == "***"
