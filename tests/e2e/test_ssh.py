"""SSH connections in a cluster, to a real OpenSSH server on its node: secrets, ends, lost Pods."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.given import Given
from tests.e2e.run import Run
from tests.e2e.test_cli import Command
from tests.e2e.then import Then
from tests.e2e.when import When
from tests.e2e.world import World
from tests.integration.connectors.ssh_scripts import Host
from tests.integration.connectors.ssh_server import PASSWORD, SshServer, started
from weir.cluster.kinds import Kind

NODES = Kind("", "v1", "nodes")

# The server's user is one of this machine, which is the node.
pytestmark = pytest.mark.own_node


@pytest.fixture
async def address(world: World) -> str:
    """The node's address, which Pods reach."""
    (node,) = (await world.cluster.list(NODES, None)).items
    found = (one for one in node["status"]["addresses"] if one["type"] == "InternalIP")
    return str(next(found)["address"])


@pytest.fixture
def host(address: str) -> Iterator[Host]:
    folder = Path(tempfile.mkdtemp(prefix="weir-host-"))
    folder.chmod(0o1777)
    with started(address) as server:
        yield Host(server, folder)
    shutil.rmtree(folder)


async def connected(given: Given, host: Host) -> None:
    """Make the Connector `host`."""
    server: SshServer = host.server
    await given.secret("host", password=PASSWORD, key=server.key)
    await given.connector(
        "host",
        "SSH",
        inputs={
            "hostname": server.address,
            "port": server.port,
            "hostkey": server.host_line,
            "username": server.user,
            "temp_path": str(host.folder),
        },
        secret_inputs=[
            {"input": name, "secretKeyRef": {"name": "host", "key": name}}
            for name in ("password", "key")
        ],
    )


async def gone(host: Host) -> None:
    """Wait until nothing of a script is left on the host."""
    patience = time.monotonic() + 15
    while host.left:
        assert time.monotonic() < patience, f"left on the host: {host.left}"
        await asyncio.sleep(0.05)


async def running(given: Given, when: When, host: Host) -> Run:
    """Return a run whose script has begun on the host, and does not end."""
    await connected(given, host)
    run = await when.executed(
        connection={"connector": "host"},
        inputs={"script": "sleep 7777 & sleep 8888", "script_timeout": 600},
    )
    patience = time.monotonic() + 60
    while not any("sleep 8888" in line for line in host.processes):
        assert time.monotonic() < patience, run.describe()
        await asyncio.sleep(0.05)
    return run


async def test_a_script_brings_back_what_it_made_and_no_secrets(
    world: World, given: Given, when: When, then: Then, host: Host
) -> None:
    await connected(given, host)
    run = await when.executed(
        script=f"""
        import flow_api

        def handler(system, this):
            made = this.connect('host', script='''
                echo 'the password is {PASSWORD}'
                USER_NAME=$(id -un)
                #OUTPUT_VAR(USER_NAME)
                echo 42 >{host.folder}/answer
            ''', copy_files=['{host.folder}/answer']).get('output_value')
            try:
                this.connect('host', script='echo "{PASSWORD}"; exit 3')
            except flow_api.DependencyFailedError as error:
                failed = error.execution
            return {{
                'made': made,
                'answer': system.file('{host.folder}/answer'.lstrip('/')).get_text_content(),
                'failed': failed.get('output_value'),
                'message': failed.get('message'),
            }}
        """
    )
    await then(run).succeeds(within=90)

    outputs = run.status["outputs"]
    assert outputs["made"] == {
        "retcode": 0,
        "report": "the password is ***\n",
        "var": {"USER_NAME": host.server.user},
    }
    assert outputs["answer"] == "42\n"
    assert outputs["failed"] == {"retcode": 3, "report": "***\n", "var": {}}
    assert "the script ended with exit code 3: ***" in outputs["message"]
    log = (await Command(world)("logs", run.name, "--tree")).out
    assert "the password is ***" in log
    told = [log, *(json.dumps(child.status) for child in run.children), json.dumps(run.status)]
    key_line = host.server.key.splitlines()[2]
    assert not [text for text in told if PASSWORD in text or key_line in text]


@pytest.mark.parametrize("change", ["hostname='evil.example'", "hostkey=False", "username='root'"])
async def test_a_call_cannot_send_a_connectors_secrets_elsewhere(
    given: Given, when: When, then: Then, host: Host, change: str
) -> None:
    await connected(given, host)
    run = await when.executed(
        script=f"""
        def handler(system, this):
            this.connect('host', script='true', {change})
        """
    )
    await then(run).fails(message="PermissionDenied: .*does not let a call set")
    assert run.children == []


async def test_a_cancelled_script_is_gone_from_the_host(
    given: Given, when: When, then: Then, host: Host
) -> None:
    run = await running(given, when, host)
    await when.cancelled(run)
    await then(run).is_cancelled(within=20)
    await then(run).has_no_pods()
    await gone(host)


async def test_a_script_whose_pod_is_lost_is_gone_and_not_run_again(
    given: Given, when: When, then: Then, host: Host
) -> None:
    run = await running(given, when, host)
    await when.pod_deleted(run, at_once=True)
    await then(run).fails("RunnerLost", message="it is not run again")
    await gone(host)


async def test_a_script_that_outlives_its_runs_timeout_is_gone(
    given: Given, when: When, then: Then, host: Host
) -> None:
    await connected(given, host)
    run = await when.executed(
        connection={"connector": "host"}, inputs={"script": "sleep 8888"}, timeout="8s"
    )
    await then(run).fails("TimedOut", within=40)
    await then(run).has_no_pods()
    await gone(host)
