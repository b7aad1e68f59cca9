"""The server dies, is stopped, or starts with the wrong database: nothing is done twice or lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest
import yaml

import weir_protocol as protocol
from tests.cluster.apiserver import ApiServer
from tests.integration.server.conftest import (
    RunnerFor,
    Served,
    serving,
    settings_for,
    with_certificate,
)
from tests.integration.server.processes import running
from tests.integration.server.worlds import SCRIPT, Refused, Runner, World, until
from tests.ports import free_port
from weir.api.execution import Execution
from weir.cluster.client import Cluster
from weir_connectors import registry
from weir_protocol.arguments import ChildArguments, WaitArguments

Connected = Callable[..., Awaitable[Runner]]


@pytest.fixture
async def connected(world: World) -> AsyncIterator[Connected]:
    """Start an attempt at a server that is named."""
    runners: list[Runner] = []

    async def start(url: str, authority: str, execution: Execution, attempt: int = 1) -> Runner:
        _, token = await world.start(execution, attempt=attempt)
        runner = Runner(url, authority, token)
        runners.append(runner)
        return runner

    yield start
    for runner in runners:
        await runner.close()


async def marked(mark: Path) -> None:
    async def there() -> bool:
        return mark.exists()

    await until(there)


@pytest.mark.parametrize("place", ["before the child is made", "after the child is made"])
async def test_a_server_killed_amid_a_child_call_makes_exactly_one_child(
    world: World,
    api_server: ApiServer,
    database_url: str,
    tmp_path: Path,
    connected: Connected,
    place: str,
) -> None:
    settings, authority = settings_for(world, database_url), await with_certificate(world)
    kubeconfig, log, mark = api_server.kubeconfig, tmp_path / "log", tmp_path / "mark"
    url = f"https://127.0.0.1:{settings.port}"
    await world.flow("greet")
    execution = await world.execution(script=SCRIPT)
    async with running(settings, kubeconfig, log, fault=place, mark=mark) as first:
        runner = await connected(url, authority, execution)
        await runner.assigned()
        # A whole float comes back from Kubernetes as an integer: still the same child.
        child = ChildArguments(flow="greet", inputs={"share": 1.0, "deep": [{"a": 2.0}]})
        operation = runner.operation("child", child)
        asking = asyncio.create_task(runner.ask(operation))
        await marked(mark)
        await first.kill()
        with pytest.raises(httpx.TransportError):
            await asking
    async with running(settings, kubeconfig, log) as second:
        answer = await runner.ask(operation)
        assert answer.state == "done"
        assert (await runner.ask(operation)).executions == answer.executions
        children = [one for one in await world.executions() if one.spec.parent]
        assert [one.uid for one in children] == [answer.executions[0].uid]
        await runner.end()
        assert await second.terminate() == 0
    assert (await world.get(execution.metadata.name)).phase == "Succeeded"


async def test_an_end_is_acknowledged_by_the_server_that_comes_after(
    world: World,
    api_server: ApiServer,
    database_url: str,
    tmp_path: Path,
    connected: Connected,
) -> None:
    settings, authority = settings_for(world, database_url), await with_certificate(world)
    kubeconfig, log, mark = api_server.kubeconfig, tmp_path / "log", tmp_path / "mark"
    url = f"https://127.0.0.1:{settings.port}"
    execution = await world.execution(script=SCRIPT)
    async with running(
        settings, kubeconfig, log, fault="after the end is written", mark=mark
    ) as first:
        runner = await connected(url, authority, execution)
        await runner.assigned()
        other = await world.execution(script=SCRIPT)
        second = await connected(url, authority, other)
        await second.assigned()
        began = time.time()
        ending = asyncio.create_task(runner.end(message="done", outputs={"a": 1}))
        await marked(mark)
        await first.kill()
        with pytest.raises(httpx.TransportError):
            await ending
    async with running(settings, kubeconfig, log):
        await runner.end(message="done", outputs={"a": 1})
        # One that was assigned by the server before, and began when its runner says.
        await second.end(started=began)
    status = (await world.get(other.metadata.name)).status
    assert status.start_time is not None
    assert abs(status.start_time.timestamp() - began) < 0.001
    assert (await world.get(execution.metadata.name)).status.outputs == {"a": 1}


async def test_a_run_goes_on_after_a_restart_and_is_shown(
    cluster: Cluster, world: World, database_url: str, connected: Connected
) -> None:
    settings, authority = settings_for(world, database_url), await with_certificate(world)
    await world.flow("greet")
    execution = await world.execution(script=SCRIPT)
    async with serving(cluster, settings, authority) as first:
        runner = await connected(first.url, authority, execution)
        await runner.assigned()
        child = (await runner.child(flow="greet")).executions[0]
        operation = runner.operation("wait", WaitArguments(uids=[child.uid]))
        waiting = asyncio.create_task(runner.ask(operation))
        await asyncio.sleep(0)
    with pytest.raises((Refused, httpx.TransportError)):
        await waiting
    async with serving(cluster, settings, authority):
        waiting = asyncio.create_task(runner.ask(operation))

        async def shown() -> bool:
            return (await world.get(execution.metadata.name)).phase == "Waiting"

        await until(shown)
        await world.end(child.name)
        assert (await waiting).state == "done"
        await runner.end()


@pytest.mark.parametrize("poll", ["assignment", "control"])
async def test_a_long_poll_is_answered_when_the_server_stops(
    cluster: Cluster, world: World, database_url: str, connected: Connected, poll: str
) -> None:
    settings, authority = settings_for(world, database_url), await with_certificate(world)
    execution = await world.execution(script=SCRIPT)
    async with asyncio.timeout(15), serving(cluster, settings, authority) as served:
        runner = await connected(served.url, authority, execution)
        if poll == "control":
            await runner.assigned()
            polling = asyncio.create_task(runner.control())
        else:
            pod = await world.pod("idle", execution.metadata.name)
            ask = runner.post("assignment", protocol.Ask(), token=await world.token(pod))
            polling = asyncio.create_task(ask)  # type: ignore[arg-type]

        async def polled() -> bool:
            topics = served.runtime.executions.topics
            return bool(topics._waiting)

        await until(polled)
        served.program.stop()
        with pytest.raises(Refused, match="503 Unavailable"):
            await polling


async def test_with_another_database_a_pod_may_finish_but_no_run_is_resumed(
    cluster: Cluster, world: World, database_url: str, tmp_path: Path, connected: Connected
) -> None:
    settings, authority = settings_for(world, database_url), await with_certificate(world)
    other = settings.model_copy(update={"database_url": f"sqlite:///{tmp_path}/other.db"})
    await world.flow("greet")
    finishing, resuming, told = [await world.execution(script=SCRIPT) for _ in range(3)]
    async with serving(cluster, settings, authority) as served:
        runners = [
            await connected(served.url, authority, one) for one in (finishing, resuming, told)
        ]
        for runner in runners:
            await runner.assigned()
        await runners[0].child(flow="greet")
        await runners[1].child(flow="greet")

        async def shown() -> bool:
            return (await world.get(told.metadata.name)).phase == "Running"

        await until(shown)
    # Lost before anything was written: what the journal lacks is seen by the child.
    await world.status(resuming.metadata.name, journal=None)
    async with serving(cluster, other, authority) as served:
        assert (await runners[0].child(flow="greet")).state == "done"
        await runners[0].end()
        assert (await world.get(finishing.metadata.name)).phase == "Succeeded"
        for execution, said in ((resuming, "operation 1 created"), (told, "is in database")):
            resumed = await connected(served.url, authority, execution, attempt=2)
            with pytest.raises(Refused, match="409 Ended"):
                await resumed.assigned()
            ended = await world.get(execution.metadata.name)
            assert (ended.phase, ended.status.reason) == ("Failed", "JournalLost")
            assert said in (ended.status.message or "")


async def test_a_gap_in_the_journal_is_no_ground_to_resume_from(
    world: World, server: Served, runner_for: RunnerFor
) -> None:
    execution = await world.execution(script=SCRIPT)
    first = await runner_for(execution)
    first.sequence = 1
    await first.save(message="number 2")
    second = await runner_for(execution, attempt=2, assigned=False)
    with pytest.raises(Refused, match="409 Ended: operation 1 is missing"):
        await second.assigned()
    assert (await world.get(execution.metadata.name)).status.reason == "JournalLost"


async def test_a_connection_that_has_begun_is_not_run_again(
    world: World, runner_for: RunnerFor
) -> None:
    url = {"repository_url": "https://example.com/r.git"}
    reading = await world.execution(connection={"type": "GIT"}, inputs={"command": "get", **url})
    await runner_for(reading)
    assert (await runner_for(reading, attempt=2)).assignment is not None
    writing = await world.execution(connection={"type": "GIT"}, inputs={"command": "get", **url})
    await runner_for(writing)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "repeatable", lambda *_: False)
        second = await runner_for(writing, attempt=2, assigned=False)
        with pytest.raises(Refused, match="409 Ended"):
            await second.assigned()
    ended = await world.get(writing.metadata.name)
    assert (ended.phase, ended.status.reason) == ("Failed", "RunnerLost")


async def test_without_the_api_server_it_starts_unready_and_goes_on_later(
    api_server: ApiServer, world: World, tmp_path: Path
) -> None:
    settings = settings_for(world, f"sqlite:///{tmp_path}/weir.db")
    await with_certificate(world)
    port = free_port()
    content = yaml.safe_load(api_server.kubeconfig.read_text())
    content["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{port}"
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(content))
    health = f"http://127.0.0.1:{settings.health_port}"
    async with (
        running(settings, kubeconfig, tmp_path / "log", until_ready=False),
        httpx.AsyncClient(trust_env=False) as client,
    ):

        async def answer(path: str, status: int) -> bool:
            try:
                return (await client.get(health + path)).status_code == status
            except httpx.TransportError:
                return False

        await until(lambda: answer("/healthz", 200))
        assert "the API server" in (await client.get(f"{health}/readyz")).text
        forwarder = await asyncio.start_server(_forward(api_server.url), "127.0.0.1", port)
        async with forwarder:
            await until(lambda: answer("/readyz", 200), seconds=30)
            metrics = (await client.get(f"{health}/metrics")).text
            assert "weir_server_resident_memory_bytes" in metrics
            assert "weir_server_executions 0" in metrics


def _forward(url: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    host, _, port = url.removeprefix("https://").partition(":")

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(pipe(reader, far_writer), pipe(far_reader, writer))

    return forward


@pytest.mark.parametrize("which", ["port", "health_port"])
async def test_a_server_whose_port_is_taken_ends_and_says_so(
    api_server: ApiServer, world: World, tmp_path: Path, which: str
) -> None:
    await with_certificate(world)
    other = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = other.sockets[0].getsockname()[1]
    settings = settings_for(world, f"sqlite:///{tmp_path}/weir.db").model_copy(update={which: port})
    async with (
        other,
        running(settings, api_server.kubeconfig, tmp_path / "log", until_ready=False) as process,
    ):
        assert await process.ended() == 1
    assert f"Cannot listen at 127.0.0.1:{port}" in process.log
