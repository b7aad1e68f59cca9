"""The weir command against a cluster with Weir: logs come from the server, steps as they happen."""

import asyncio
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.given import WAIT_FOR_GO, Given
from tests.e2e.then import Then
from tests.e2e.when import When
from tests.e2e.world import World
from weir.cluster.kinds import CONFIG_MAPS, EXECUTIONS, SERVICES

GREET = """
def handler(system, this, inputs):
    this.log('greeting', person=inputs['person'])
    print('and printing')
    return {'greeting': f"Hello, {inputs['person']}"}
"""
WAITS = """
import time

def handler(system, this):
    this.log('it goes on')
    time.sleep(600)
"""


@dataclass
class Ended:
    """What a call of the command came to."""

    code: int
    out: str
    err: str


class Command:
    """The command, as the cluster's administrator or as somebody else."""

    def __init__(self, world: World, kubeconfig: Path | None = None, **environment: str) -> None:
        self._kubeconfig = kubeconfig or world.installation.kubeconfig
        self._namespace = world.namespace
        self._environment = {
            name: value for name, value in os.environ.items() if not name.startswith("WEIR_")
        } | environment

    async def started(self, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "weir.cli", "--kubeconfig", str(self._kubeconfig)),
            *("--namespace", self._namespace, *arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._environment,
        )

    async def ended(self, process: asyncio.subprocess.Process) -> Ended:
        out, err = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode is not None
        return Ended(process.returncode, out.decode(), err.decode())

    async def __call__(self, *arguments: str) -> Ended:
        return await self.ended(await self.started(*arguments))


@pytest.fixture
def weir(world: World) -> Command:
    return Command(world)


async def test_a_run_is_followed_to_its_end(given: Given, weir: Command) -> None:
    await given.flow("greet", GREET)
    call = await weir("run", "greet", "--input", "person=Ada", "--follow")
    assert call.code == 0, call.err
    assert call.out.startswith('greeting {"person": "Ada"}\nand printing\n')
    assert '"greeting": "Hello, Ada"' in call.out
    assert "Succeeded after" in call.err


async def test_a_failed_run_is_an_exit_code_and_has_its_traceback_in_the_log(
    given: Given, weir: Command
) -> None:
    await given.flow("greet", GREET)
    call = await weir("run", "greet", "--name", "rude", "--wait")
    assert (call.code, call.out) == (1, "")
    assert "KeyError: 'person' (line 2)" in call.err
    log = await weir("logs", "rude", "--timestamps")
    assert "KeyError: 'person'" in log.out
    assert 'File "greet.py", line 2' in log.out


async def test_a_large_result_comes_from_the_server(given: Given, weir: Command) -> None:
    await given.flow("large", "def handler(system, this): return {'text': 'x' * 100_000}")
    call = await weir("run", "large", "--wait")
    assert call.code == 0, call.err
    assert "x" * 100_000 in call.out


async def test_a_family_has_one_tree_and_one_log(given: Given, weir: Command, world: World) -> None:
    await given.flow("greet", GREET)
    await given.flow(
        "parent",
        """
        def handler(system, this):
            this.log('parent here')
            for person in ('Ada', 'Alan'):
                this.flow('greet', name=f'greets {person}', person=person)
        """,
    )
    followed = await weir("run", "parent", "--name", "family", "--wait")
    assert followed.code == 0, followed.err
    tree = (await weir("tree", "family")).out.splitlines()
    assert ["family" in tree[0], "greets Ada" in tree[1], "greets Alan" in tree[2]] == [True] * 3
    log = (await weir("logs", "family", "--tree")).out
    assert [line.split("  ", 1)[1] for line in log.splitlines()] == [
        "parent here",
        'greeting {"person": "Ada"}',
        "and printing",
        'greeting {"person": "Alan"}',
        "and printing",
    ]


async def test_ctrl_c_leaves_the_run_and_cancel_ends_it(
    given: Given, when: When, then: Then, weir: Command, world: World
) -> None:
    await given.flow("waits", WAITS)
    process = await weir.started("run", "waits", "--name", "long", "--follow")
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 60) == b"it goes on\n"
    process.send_signal(signal.SIGINT)
    call = await weir.ended(process)
    assert call.code == 130
    assert "long goes on" in call.err
    run = when.run(await world.cluster.get(EXECUTIONS, world.namespace, "long"))
    assert not run.phase.is_final
    cancelled = await weir("cancel", "long", "--wait")
    assert cancelled.code == 0
    assert "Cancelled" in cancelled.out
    await then(run).is_cancelled()


async def test_a_log_is_followed_across_the_death_of_the_server(
    given: Given, when: When, weir: Command, world: World
) -> None:
    await given.flow(
        "counts",
        WAIT_FOR_GO
        + """
def handler(system, this):
    this.log('before')
    wait_for_go()
    this.log('after')
""",
    )
    run = await when.executed("counts", name="counts")
    process = await weir.started("logs", "counts", "--follow")
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 60) == b"before\n"
    await world.installation.kill(world.cluster, "server")
    await world.installation.until_ready(world.cluster, "server")
    await when.told(run)
    call = await weir.ended(process)
    assert (call.code, call.out) == (0, "after\n"), call.err


async def test_a_followed_run_that_is_cancelled_has_its_own_exit_code(
    given: Given, weir: Command
) -> None:
    await given.flow("waits", WAITS)
    process = await weir.started("run", "waits", "--name", "long", "--follow")
    assert process.stdout is not None
    await asyncio.wait_for(process.stdout.readline(), 60)
    await weir("cancel", "long")
    assert (await weir.ended(process)).code == 3


async def test_a_user_reads_logs_by_the_servers_address_with_their_own_certificate(
    given: Given, weir: Command, world: World, tmp_path: Path
) -> None:
    bare = world.installation.bare
    if bare is None:
        pytest.skip("makes certificates of users, which only our own cluster can")
    await given.flow("greet", GREET)
    await given.role("ada", "weir-user")
    authority = await world.cluster.get(CONFIG_MAPS, "weir-system", "weir-server-ca")
    (tmp_path / "ca.crt").write_text(authority["data"]["ca.crt"])
    service = await world.cluster.get(SERVICES, "weir-system", "weir-server")
    address = f"https://{service['spec']['clusterIP']}:{service['spec']['ports'][0]['port']}"
    known = {"WEIR_SERVER_URL": address, "WEIR_SERVER_CA": str(tmp_path / "ca.crt")}

    ada = Command(world, bare.kubeconfig_for("ada"), **known)
    call = await ada("run", "greet", "--name", "hers", "--input", "person=Ada", "--follow")
    assert call.code == 0, call.err
    assert "greeting" in call.out

    stranger = await Command(world, bare.kubeconfig_for("eve"), **known)("logs", "hers")
    assert (stranger.code, stranger.out) == (4, "")
    assert 'user "eve" cannot get executions.weir.dev' in stranger.err

    without_address = await Command(world, bare.kubeconfig_for("eve"))("logs", "hers")
    assert without_address.code == 4
    assert "--server or WEIR_SERVER_URL" in without_address.err
