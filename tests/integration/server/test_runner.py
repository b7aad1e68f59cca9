"""The real runner program against the real server; only the kubelet is played."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.server.conftest import Served
from tests.integration.server.worlds import World, until
from weir.api.execution import Execution
from weir.storage import logs

# Whichever the database is, the code that is tried here is the same.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Kubelet:
    """Starts a runner for each Execution that has none, as operator and kubelet together do."""

    def __init__(self, world: World, server: Served, folder: Path) -> None:
        self._world = world
        self._server = server
        self._folder = folder
        self.processes: dict[str, asyncio.subprocess.Process] = {}

    async def run(self) -> None:
        while True:
            for execution in await self._world.executions():
                if execution.phase == "Pending" and execution.spec.desired_state == "Running":
                    await self.start(execution)
            await asyncio.sleep(0.05)

    async def start(self, execution: Execution, attempt: int = 1) -> None:
        name = execution.metadata.name
        _, token = await self._world.start(execution, attempt=attempt)
        file = self._folder / f"{name}-{attempt}"
        file.write_text(token)
        environment = {
            "PATH": os.environ["PATH"],
            "WEIR_SERVER": self._server.url.removeprefix("https://"),
            "WEIR_SERVER_NAME": "weir-server",
            "WEIR_SERVER_CA": self._server.authority,
            "WEIR_TOKEN_FILE": str(file),
            "PYTHONHASHSEED": "0",
        }
        self.processes[name] = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "weir_runner", env=environment, cwd=self._folder
        )

    async def stop(self) -> None:
        for process in self.processes.values():
            if process.returncode is None:
                process.kill()
            await process.wait()


@pytest.fixture
async def kubelet(world: World, server: Served, tmp_path: Path) -> AsyncIterator[Kubelet]:
    kubelet = Kubelet(world, server, tmp_path)
    running = asyncio.create_task(kubelet.run())
    yield kubelet
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    await kubelet.stop()


async def ended(world: World, execution: Execution) -> Execution:
    async def final() -> Execution | None:
        found = await world.get(execution.metadata.name)
        return found if found.phase.is_final else None

    found: Execution = await until(final, seconds=60)
    return found


async def log_of(server: Served, execution: Execution) -> list[str]:
    lines = await server.runtime.database.read(lambda sql: logs.read(sql, execution.uid))
    return [line.text for line in lines]


HELLO = """
def handler(system, this, inputs):
    this.log('hello', inputs['name'])
    this.set_output('greeting', f"Hello, {inputs['name']}")
    return this.success('all done')
"""


async def test_a_flow_says_hello(world: World, server: Served, kubelet: Kubelet) -> None:
    await world.flow("hello", HELLO)
    execution = await world.execution(flow="hello", inputs={"name": "Ada"})
    found = await ended(world, execution)
    assert (found.phase, found.status.message) == ("Succeeded", "all done")
    assert found.status.outputs == {"greeting": "Hello, Ada"}
    assert await log_of(server, execution) == ["hello Ada"]
    assert await kubelet.processes[execution.metadata.name].wait() == 0


LEAF = "def handler(system, this):\n    raise ValueError('boom')\n"
MIDDLE = "def handler(system, this):\n    this.flow('leaf')\n"
TOP = "def handler(system, this):\n    this.flow('middle', name='step 1')\n"


async def test_a_failure_three_levels_down_names_the_leaf_at_each(
    world: World, server: Served, kubelet: Kubelet
) -> None:
    await world.flow("leaf", LEAF)
    await world.flow("middle", MIDDLE)
    execution = await world.execution(script=TOP)
    await ended(world, execution)
    by_flow = {one.target: one for one in await world.executions()}
    leaf, middle, top = by_flow["leaf"], by_flow["middle"], by_flow["script"]
    assert leaf.status.message == "ValueError: boom (line 2)"
    said = f"execution {leaf.metadata.name} (leaf) failed: ValueError: boom (line 2)"
    for one in (middle, top):
        assert one.status.reason == "DependencyFailed"
        assert said in (one.status.message or "")
        assert one.status.cause is not None
        assert one.status.cause.execution == leaf.metadata.name


CAUGHT = """
import flow_api

def handler(system, this):
    try:
        this.flow('leaf')
    except flow_api.DependencyFailedError as error:
        this.log('leaf failed', error.execution.get('message'))
    children = [this.flow('hello', wait=False, name=f'Nr {n}', inputs={'name': n}) for n in '123']
    this.wait_for(*children)
    this.set_output('greetings', [child.get('output_value')['greeting'] for child in children])
    this.save(message='half way')
"""


async def test_a_failure_is_caught_and_children_run_at_once(
    world: World, server: Served, kubelet: Kubelet
) -> None:
    await world.flow("leaf", LEAF)
    await world.flow("hello", HELLO)
    execution = await world.execution(script=CAUGHT)
    found = await ended(world, execution)
    assert (found.phase, found.status.message) == ("Succeeded", "half way")
    assert found.status.outputs == {"greetings": ["Hello, 1", "Hello, 2", "Hello, 3"]}
    assert await log_of(server, execution) == ["leaf failed ValueError: boom (line 2)"]
    assert found.status.children is not None
    assert (found.status.children.total, found.status.children.failed) == (4, 1)


SLOW = """
import time

def handler(system, this):
    this.log('before')
    this.flow('hello', name='only one', inputs={'name': 'Ada'})
    this.log('after')
    try:
        time.sleep(600)
    finally:
        this.log('cleaned up')
"""


async def test_a_cancelled_script_cleans_up(world: World, server: Served, kubelet: Kubelet) -> None:
    await world.flow("hello", HELLO)
    execution = await world.execution(script=SLOW)

    async def deep() -> bool:
        return "after" in await log_of(server, execution)

    await until(deep, seconds=60)
    await world.desire(execution.metadata.name, "Cancelled")
    found = await ended(world, execution)
    assert (found.phase, found.status.reason) == ("Cancelled", "Cancelled")
    assert await log_of(server, execution) == ["before", "after", "cleaned up"]


async def test_a_killed_runner_is_resumed_where_it_was(
    world: World, server: Served, kubelet: Kubelet, tmp_path: Path
) -> None:
    await world.flow("hello", HELLO)
    go_on = tmp_path / "go-on"
    sleeping = f"while not os.path.exists('{go_on}'): time.sleep(0.05)"
    script = SLOW.replace("time.sleep(600)", sleeping).replace("import time", "import os, time")
    execution = await world.execution(script=script)
    name = execution.metadata.name

    async def deep() -> bool:
        return "after" in await log_of(server, execution)

    await until(deep, seconds=60)
    kubelet.processes[name].kill()
    await kubelet.processes[name].wait()
    go_on.touch()
    await kubelet.start(await world.get(name), attempt=2)
    found = await ended(world, execution)
    assert (found.phase, found.status.attempt) == ("Succeeded", 2)
    assert len(await world.executions()) == 2
    assert await log_of(server, execution) == ["before", "after", "cleaned up"]
