"""A server in this process, its database, and a namespace to work in."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.integration.databases import database_url, postgres_url
from tests.integration.server import certificates
from tests.integration.server.hooks import Hooks
from tests.integration.server.worlds import Runner, World
from tests.ports import free_port
from weir.api.execution import Execution
from weir.cluster.client import Cluster
from weir.cluster.kinds import SECRETS
from weir.server.main import Program
from weir.server.runtime import Runtime
from weir.server.settings import Settings

__all__ = ["database_url", "postgres_url"]


class Served:
    """A running server."""

    def __init__(self, program: Program, settings: Settings, authority: str) -> None:
        self.program = program
        self.settings = settings
        self.authority = authority
        self.url = f"https://127.0.0.1:{settings.port}"
        self.health = f"http://127.0.0.1:{settings.health_port}"

    @property
    def runtime(self) -> Runtime:
        assert self.program.runtime is not None
        return self.program.runtime


@pytest.fixture
async def world(cluster: Cluster, namespace: str) -> World:
    world = World(cluster, namespace)
    await world.prepare()
    return world


async def with_certificate(world: World) -> str:
    """Create the Secret of the certificate and return the CA."""
    secret = certificates.secret()
    await world.cluster.create(SECRETS, world.namespace, secret)
    return base64.b64decode(secret["data"]["ca.crt"]).decode()


def settings_for(world: World, database_url: str) -> Settings:
    return Settings(
        namespace=world.namespace,
        watch_namespaces=[world.namespace],
        database_url=database_url,
        host="127.0.0.1",
        port=free_port(),
        health_port=free_port(),
        retention_interval=3600,
    )


async def ready(url: str) -> None:
    """Wait until /readyz says so."""
    async with asyncio.timeout(90), httpx.AsyncClient(trust_env=False) as client:
        while True:
            try:
                if (await client.get(f"{url}/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.02)


@asynccontextmanager
async def serving(cluster: Cluster, settings: Settings, authority: str) -> AsyncIterator[Served]:
    program = Program(settings, cluster)
    running = asyncio.create_task(program.run())
    try:
        served = Served(program, settings, authority)
        await ready(served.health)
        yield served
    finally:
        program.stop()
        await running


@pytest.fixture
async def server(cluster: Cluster, world: World, database_url: str) -> AsyncIterator[Served]:
    authority = await with_certificate(world)
    async with serving(cluster, settings_for(world, database_url), authority) as served:
        yield served


RunnerFor = Callable[..., Awaitable[Runner]]


@pytest.fixture
async def runner_for(world: World, server: Served) -> AsyncIterator[RunnerFor]:
    """Start an attempt of an Execution and return its runner."""
    runners: list[Runner] = []

    async def start(execution: Execution, *, assigned: bool = True, **attempt: int) -> Runner:
        _, token = await world.start(execution, **attempt)
        runner = Runner(server.url, server.authority, token)
        runners.append(runner)
        if assigned:
            await runner.assigned()
        return runner

    yield start
    for runner in runners:
        await runner.close()


@pytest.fixture
async def hooks(world: World, server: Served) -> AsyncIterator[Hooks]:
    """Webhooks, and the Flow `hello` that they run."""
    made = Hooks(world, server.runtime, server.url, server.authority)
    await made.prepare()
    yield made
    await made.client.aclose()
