"""Webhooks on a whole cluster: a request, a run in its Pod, and the answer."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.e2e.given import Given
from tests.e2e.installation import NAMESPACE
from tests.e2e.then import Then
from tests.e2e.when import When
from tests.e2e.world import World
from weir.api import names
from weir.cluster.kinds import CONFIG_MAPS, EXECUTIONS, SERVICES, WEBHOOKS

GREETS = """
def handler(system, this, inputs):
    this.log('called', by=this.get('webhook_name'))
    this.webhook_html_response(f"<h1>Hello, {inputs['json']['name']}</h1>")
"""
COUNTS = """
def handler(system, this, inputs):
    return {'length': len(inputs['text']), 'path': inputs['path']}
"""
KEY = {"X-Weir-Key": "k3y-of-the-test"}
# A run on a cold and busy node.
PATIENCE = 90.0


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the server, by its Service."""
    authority = await world.cluster.get(CONFIG_MAPS, NAMESPACE, "weir-server-ca")
    service = await world.cluster.get(SERVICES, NAMESPACE, "weir-server")
    context = ssl.create_default_context(cadata=authority["data"]["ca.crt"])
    context.check_hostname = False  # the certificate is for the name, and we have the address
    spec = service["spec"]
    async with httpx.AsyncClient(
        base_url=f"https://{spec['clusterIP']}:{spec['ports'][0]['port']}",
        verify=context,
        trust_env=False,
        timeout=PATIENCE,
    ) as made:
        yield made


async def hooked(world: World, given: Given, name: str, script: str) -> str:
    """Make a Flow and a Webhook of it, and return its path once it can be called."""
    await given.flow(name, script)
    await given.secret(f"{name}-hook", key=KEY["X-Weir-Key"])
    body = {
        "apiVersion": names.API_VERSION,
        "kind": "Webhook",
        "metadata": {"name": name},
        "spec": {
            "flow": name,
            "enabled": True,
            "timeout": "80s",
            "keySecretRef": {"name": f"{name}-hook", "key": "key"},
        },
    }
    await world.cluster.create(WEBHOOKS, world.namespace, body)
    async with asyncio.timeout(PATIENCE):
        async for change in world.cluster.watch(WEBHOOKS, world.namespace):
            status = (change.object or {}).get("status") or {}
            conditions = {one["type"]: one["status"] for one in status.get("conditions") or []}
            if conditions.get("Ready") == "True":
                path: str = status["path"]
                return path
    raise AssertionError


async def test_a_caller_gets_the_page_that_the_script_makes(
    world: World, given: Given, client: httpx.AsyncClient
) -> None:
    path = await hooked(world, given, "greets", GREETS)
    answer = await client.post(path, json={"name": "Ada"}, headers=KEY)
    assert (answer.status_code, answer.text) == (200, "<h1>Hello, Ada</h1>")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    name = answer.headers["x-weir-execution"]
    run = await world.cluster.get(EXECUTIONS, world.namespace, name)
    assert run["status"]["phase"] == "Succeeded"
    assert run["metadata"]["labels"][names.WEBHOOK_LABEL] == "greets"
    assert (await client.post(path, json={"name": "Ada"})).status_code == 404


async def test_a_caller_who_does_not_wait_gets_the_name_of_the_run(
    world: World, given: Given, when: When, then: Then, client: httpx.AsyncClient
) -> None:
    path = await hooked(world, given, "counts", COUNTS)
    text = "x" * 100_000  # more than the object holds
    headers = KEY | {"Content-Type": "text/plain", "Idempotency-Key": "1"}
    first, second = [
        await client.post(f"{path}/sub?async=1", content=text, headers=headers) for _ in range(2)
    ]
    assert first.status_code == 202
    assert first.json() == second.json()
    name = first.json()["execution"]
    run = when.run(await world.cluster.get(EXECUTIONS, world.namespace, name))
    await then(run).succeeds(outputs={"length": 100_000, "path": "/sub"}, within=PATIENCE)
