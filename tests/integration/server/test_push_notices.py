"""Push notices of Git hosts, as GitHub, GitLab, Gitea and others send them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.integration.server.conftest import Served
from tests.integration.server.worlds import World, until
from weir.api import names
from weir.cluster.kinds import FLOW_REPOSITORIES, SECRETS

# No database is asked.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SECRET = b"push-secret"
MAIN = {"ref": "refs/heads/main", "repository": {"default_branch": "main"}}

Repository = Callable[..., Awaitable[str]]


@pytest.fixture
async def http(server: Served) -> AsyncIterator[httpx.AsyncClient]:
    context = ssl.create_default_context(cadata=server.authority)
    async with httpx.AsyncClient(
        base_url=server.url, verify=context, trust_env=False, timeout=30
    ) as client:
        yield client


@pytest.fixture
async def repository(world: World, server: Served) -> Repository:
    """Make FlowRepositories that the server knows of, and return their paths."""
    secret = {
        "metadata": {"name": "push"},
        # As `echo secret | kubectl create secret … --from-file=/dev/stdin` makes it.
        "data": {"secret": base64.b64encode(SECRET + b"\n").decode(), "empty": ""},
    }
    await world.cluster.create(SECRETS, world.namespace, secret)

    async def make(name: str, **spec: Any) -> str:
        reference = {"secretKeyRef": {"name": "push", "key": "secret"}}
        body = {
            "apiVersion": names.API_VERSION,
            "kind": "FlowRepository",
            "metadata": {"name": name},
            "spec": {"url": "https://git.test/a.git", "webhook": reference} | spec,
        }
        await world.cluster.create(FLOW_REPOSITORIES, world.namespace, body)

        async def known() -> bool:
            return (world.namespace, name) in server.runtime.catalogs.repositories

        await until(known)
        return f"/git/{world.namespace}/{name}"

    return make


def signed(data: Any, header: str, *, prefix: str = "sha256=", **more: str) -> dict[str, Any]:
    """Return what is to be posted."""
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    signature = prefix + hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    named = {name.replace("_", "-"): value for name, value in more.items()}
    return {"content": body, "headers": {header: signature} | named}


async def requested(world: World, path: str) -> str | None:
    item = await world.cluster.get(FLOW_REPOSITORIES, world.namespace, path.rpartition("/")[2])
    annotations = item["metadata"].get("annotations") or {}
    found: str | None = annotations.get(names.SYNC_REQUESTED)
    return found


@pytest.mark.parametrize(
    "notice",
    [
        signed(MAIN, "X-Hub-Signature-256", X_GitHub_Event="push"),
        signed(MAIN, "X-Gitea-Signature", prefix="", X_Gitea_Event="push"),
        signed(MAIN, "X-Weir-Signature"),
        signed(b"", "X-Weir-Signature"),
        {
            "json": {"ref": "refs/heads/main", "project": {"default_branch": "main"}},
            "headers": {"X-Gitlab-Token": SECRET.decode(), "X-Gitlab-Event": "Push Hook"},
        },
    ],
    ids=["GitHub", "Gitea", "generic", "generic, empty", "GitLab"],
)
async def test_a_push_asks_for_a_sync(
    world: World, http: httpx.AsyncClient, repository: Repository, notice: dict[str, Any]
) -> None:
    path = await repository("flows", ref={"branch": "main"})
    answer = await http.post(path, **notice)
    assert (answer.status_code, answer.json()) == (202, {"sync": True})
    first = await requested(world, path)
    assert (await http.post(path, **notice)).status_code == 202
    assert first
    assert first < (await requested(world, path) or "")


async def test_what_changes_nothing_here_asks_for_nothing(
    world: World, http: httpx.AsyncClient, repository: Repository
) -> None:
    path = await repository("flows", ref={"branch": "main"})
    other = signed(MAIN | {"ref": "refs/heads/other"}, "X-Hub-Signature-256", X_GitHub_Event="push")
    ping = signed({"zen": "…"}, "X-Hub-Signature-256", X_GitHub_Event="ping")
    for notice, message in (
        (other, "this FlowRepository takes another branch or tag"),
        (ping, "this is no push"),
    ):
        answer = await http.post(path, **notice)
        assert (answer.status_code, answer.json()) == (200, {"sync": False, "message": message})
    assert await requested(world, path) is None


async def test_a_stranger_learns_nothing(
    world: World, http: httpx.AsyncClient, repository: Repository
) -> None:
    good = signed(MAIN, "X-Hub-Signature-256")
    path = await repository("flows")
    wrong: list[tuple[str, dict[str, Any]]] = [
        (path, {"content": good["content"]}),
        (path, good | {"content": good["content"] + b" "}),
        (path, {"content": b"", "headers": {"X-Gitlab-Token": ""}}),
        (path, {"content": b"", "headers": {"X-Gitlab-Token": "push-secret\n".strip() + "x"}}),
        (f"/git/{world.namespace}/none", good),
        ("/git/none/flows", good),
        (f"{path}{'x' * 1000}", good),
        (await repository("suspended", suspend=True), good),
        (await repository("deaf", webhook=None), good),
        (
            await repository("empty", webhook={"secretKeyRef": {"name": "push", "key": "empty"}}),
            signed(MAIN, "X-Hub-Signature-256"),
        ),
        (await repository("lost", webhook={"secretKeyRef": {"name": "no", "key": "secret"}}), good),
    ]
    answers = await asyncio.gather(*(http.post(where, **notice) for where, notice in wrong))
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert len({tuple(sorted(answer.headers)) for answer in answers}) == 1
    assert all(answer.elapsed.total_seconds() >= 0.2 for answer in answers)
    assert await requested(world, path) is None


async def test_a_body_that_is_too_large_is_not_read_to_its_end(
    http: httpx.AsyncClient, repository: Repository
) -> None:
    large = signed(b" " * (2**20 + 1), "X-Hub-Signature-256")
    assert (await http.post(await repository("flows"), **large)).status_code == 413
    assert (await http.post("/git/none/none", **large)).status_code == 413


async def test_only_so_many_notices_are_taken(
    http: httpx.AsyncClient, repository: Repository
) -> None:
    path, other = await repository("flows"), await repository("other")
    notice = signed(MAIN, "X-Hub-Signature-256")
    answers = await asyncio.gather(*(http.post(path, **notice) for _ in range(60)))
    assert {answer.status_code for answer in answers} == {202, 429}
    late = next(answer for answer in answers if answer.status_code == 429)
    assert int(late.headers["retry-after"]) >= 1
    assert (await http.post(other, **notice)).status_code == 202
