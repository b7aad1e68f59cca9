"""The weir command as a program, against a real API server; the tests play the operator."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import binaries
from tests.cluster.apiserver import ApiServer
from weir.api import names
from weir.api.resource import JsonObject
from weir.cli.kinds import WORDS
from weir.cluster.client import Cluster
from weir.cluster.kinds import EXECUTIONS, FLOW_REPOSITORIES, FLOWS, SCHEDULES, WEBHOOKS

PROGRAMS = Path(sys.executable).parent


@dataclass
class Ended:
    """What a call came to."""

    code: int
    out: str
    err: str


class Command:
    """The command in a namespace of the API server."""

    def __init__(self, kubeconfig: Path, namespace: str) -> None:
        self._environment = {
            name: value for name, value in os.environ.items() if not name.startswith("WEIR_")
        } | {"KUBECONFIG": str(kubeconfig), "TZ": "Europe/Vienna"}
        self._namespace = namespace

    async def started(self, *arguments: str, **environment: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._environment | environment,
            # A test run in the background of a shell would hand down that Ctrl-C is ignored.
            preexec_fn=_heed_ctrl_c,
        )

    async def program(self, *arguments: str, **environment: str) -> Ended:
        return await ended(await self.started(*arguments, **environment))

    async def begun(self, *arguments: str) -> asyncio.subprocess.Process:
        return await self.started(str(PROGRAMS / "weir"), "-n", self._namespace, *arguments)

    async def __call__(self, *arguments: str) -> Ended:
        return await ended(await self.begun(*arguments))


def _heed_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


async def ended(process: asyncio.subprocess.Process) -> Ended:
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


@pytest.fixture
def weir(api_server: ApiServer, namespace: str, cluster: Cluster) -> Command:
    return Command(api_server.kubeconfig, namespace)


async def flow(cluster: Cluster, namespace: str, name: str, **spec: Any) -> None:
    body = {
        "apiVersion": names.API_VERSION,
        "kind": "Flow",
        "metadata": {"name": name},
        "spec": {"script": "def handler(system, this): pass"} | spec,
    }
    await cluster.create(FLOWS, namespace, body)


async def execution(
    cluster: Cluster, namespace: str, name: str, parent: JsonObject | None = None, **status: Any
) -> JsonObject:
    """Create an Execution and write its status."""
    body: JsonObject = {
        "apiVersion": names.API_VERSION,
        "kind": "Execution",
        "metadata": {"name": name},
        "spec": {"flow": "hello"},
    }
    if parent is not None:
        above = parent["metadata"]
        root = above.get("labels", {}).get(names.ROOT_LABEL, above["name"])
        body["metadata"]["labels"] = {names.ROOT_LABEL: root}
        body["spec"]["parent"] = {"name": above["name"], "uid": above["uid"], "sequence": 1}
    await cluster.create(EXECUTIONS, namespace, body)
    return await status_written(cluster, namespace, name, **status)


async def status_written(cluster: Cluster, namespace: str, name: str, **status: Any) -> JsonObject:
    return await cluster.patch(EXECUTIONS, namespace, name, {"status": status}, status=True)


async def seen(cluster: Cluster, namespace: str, holds: Callable[[JsonObject], bool]) -> JsonObject:
    """Wait until there is an Execution of which the condition holds, and return it."""
    async with asyncio.timeout(30):
        async for change in cluster.watch(EXECUTIONS, namespace):
            if change.object and holds(change.object):
                return change.object
    raise AssertionError("a watch never ends")


async def test_a_run_is_waited_for_and_its_outputs_are_printed(
    cluster: Cluster, namespace: str, weir: Command
) -> None:
    await flow(cluster, namespace, "hello", title="Say hello")
    call = await weir.begun("run", "Say hello", "-i", "person=Ada", "-i", "n=3", "--wait")
    made = await seen(cluster, namespace, lambda _: True)
    name = made["metadata"]["name"]
    assert name.startswith("hello-")
    assert made["spec"]["inputs"] == {"person": "Ada", "n": 3}
    await status_written(cluster, namespace, name, phase="Starting")
    await status_written(
        cluster, namespace, name, phase="Succeeded", message="greeted", outputs={"said": "hello"}
    )
    done = await ended(call)
    assert done.code == 0, done.err
    assert json.loads(done.out) == {"said": "hello"}
    assert "Succeeded: greeted" in done.err
    assert " CET  " in done.err or " CEST  " in done.err


async def test_following_tells_each_step_even_where_no_server_is(
    cluster: Cluster, namespace: str, weir: Command
) -> None:
    await flow(cluster, namespace, "hello")
    call = await weir.begun("run", "hello", "--name", "first", "--follow")
    await seen(cluster, namespace, lambda one: one["metadata"]["name"] == "first")
    assert call.stderr is not None
    told = b""
    for phase in ("Starting", "Running", "Failed"):
        await status_written(cluster, namespace, "first", phase=phase, message=f"now {phase}")
        while f"now {phase}".encode() not in told:
            told += await asyncio.wait_for(call.stderr.readline(), 30)
    done = await ended(call)
    assert done.code == 1
    assert b"no log: there is no Service of Weir's server" in told + done.err.encode()


async def test_a_run_that_is_deleted_meanwhile_is_told(
    cluster: Cluster, namespace: str, weir: Command
) -> None:
    await flow(cluster, namespace, "hello")
    call = await weir.begun("run", "hello", "--name", "first", "--wait")
    await seen(cluster, namespace, lambda one: one["metadata"]["name"] == "first")
    await cluster.delete(EXECUTIONS, namespace, "first")
    done = await ended(call)
    assert (done.code, done.err.splitlines()[-1]) == (4, "error: execution first was deleted")


async def test_a_family_is_drawn_and_watched_to_its_end(
    cluster: Cluster, namespace: str, weir: Command
) -> None:
    root = await execution(cluster, namespace, "root", phase="Starting")
    await execution(cluster, namespace, "leaf", root, phase="Starting")
    tree = await weir("tree", "leaf", "--root")
    assert [line.split()[:2] for line in tree.out.splitlines()] == [
        ["root", "hello"],
        ["└─", "leaf"],
    ]
    call = await weir.begun("tree", "root", "--watch")
    assert call.stdout is not None
    assert b"root" in await asyncio.wait_for(call.stdout.readline(), 30)
    await execution(cluster, namespace, "late", root, phase="Failed", message="too late")
    await status_written(cluster, namespace, "leaf", phase="Succeeded")
    await status_written(cluster, namespace, "root", phase="Failed", message="late failed")
    done = await ended(call)
    assert done.code == 0
    for end in ("late  hello  ✘ Failed", "leaf  hello  ✔ Succeeded", "root  hello  ✘ Failed"):
        assert end in done.out


async def test_cancel_waits_for_the_end(cluster: Cluster, namespace: str, weir: Command) -> None:
    await execution(cluster, namespace, "long", phase="Starting")
    call = await weir.begun("cancel", "long", "--wait")
    await seen(cluster, namespace, lambda one: one["spec"].get("desiredState") == "Cancelled")
    await status_written(cluster, namespace, "long", phase="Cancelled")
    done = await ended(call)
    assert done.code == 0
    assert "⊘ Cancelled" in done.out


async def test_tables_have_the_columns_that_kubectl_prints(
    cluster: Cluster, namespace: str, weir: Command
) -> None:
    await flow(cluster, namespace, "hello")
    await execution(cluster, namespace, "first", phase="Failed", message="boom", duration="1.0s")
    for made, spec in (
        (SCHEDULES, {"flow": "hello", "cron": "0 2 * * *"}),
        (WEBHOOKS, {"flow": "hello"}),
        (FLOW_REPOSITORIES, {"url": "https://git.example.com/flows.git"}),
    ):
        kind_name = {one.plural: one.kind for one in WORDS}[made.plural]
        body = {"apiVersion": names.API_VERSION, "kind": kind_name, "metadata": {"name": "one"}}
        await cluster.create(made, namespace, body | {"spec": spec})
    kubectl = str(binaries.path("kubectl"))
    for kind in ("executions", "flows", "schedules", "webhooks", "flowrepositories"):
        for wide in ([], ["-o", "wide"]):
            ours = await weir("get", kind, *wide)
            theirs = await weir.program(kubectl, "-n", namespace, "get", kind, *wide)
            assert ours.out.splitlines()[0].split() == theirs.out.splitlines()[0].split()
    failed = await weir("get", "executions", "--phase", "Failed", "-o", "name")
    assert failed.out == "execution/first\n"
    assert (await weir("get", "executions", "--phase", "Running")).out == ""


async def test_a_watched_table_grows_by_what_happens(
    cluster: Cluster, namespace: str, weir: Command
) -> None:
    await execution(cluster, namespace, "first", phase="Starting")
    call = await weir.begun("get", "executions", "--watch")
    assert call.stdout is not None
    seen_lines = [await asyncio.wait_for(call.stdout.readline(), 30) for _ in range(2)]
    await status_written(cluster, namespace, "first", phase="Failed", message="boom")
    seen_lines.append(await asyncio.wait_for(call.stdout.readline(), 30))
    await execution(cluster, namespace, "second", phase="Starting")
    while b"second" not in seen_lines[-1] or b"Starting" not in seen_lines[-1]:
        seen_lines.append(await asyncio.wait_for(call.stdout.readline(), 30))
    await cluster.delete(EXECUTIONS, namespace, "first")
    while b"(deleted)" not in seen_lines[-1]:
        seen_lines.append(await asyncio.wait_for(call.stdout.readline(), 30))
    call.terminate()
    await ended(call)
    assert seen_lines[0].split()[:3] == [b"NAME", b"FLOW", b"PHASE"]
    assert b"Failed" in seen_lines[2]
    assert len([line for line in seen_lines if line.startswith(b"NAME")]) == 1


async def test_objects_are_suspended_and_selected_by_label(
    cluster: Cluster, namespace: str, weir: Command
) -> None:
    await flow(cluster, namespace, "hello")
    await flow(cluster, namespace, "report")
    label = {"metadata": {"labels": {"team": "a"}}}
    await cluster.patch(FLOWS, namespace, "report", label)
    assert (await weir("get", "fl", "-l", "team=a", "-o", "name")).out == "flow/report\n"
    assert (await weir("get", "fl", "-l", "team!=a", "-o", "name")).out == "flow/hello\n"
    wrong = await weir("get", "fl", "-l", "=,=")
    assert (wrong.code, wrong.err.count("\n")) == (4, 1)
    done = await weir("suspend", "flow", "hello", "report")
    assert done.out == "flow/hello is suspended\nflow/report is suspended\n"
    for name in ("hello", "report"):
        assert (await cluster.get(FLOWS, namespace, name))["spec"]["suspend"] is True


async def test_who_may_not_list_is_told_so_at_once_when_watching(
    api_server: ApiServer, namespace: str, cluster: Cluster
) -> None:
    done = await Command(api_server.kubeconfig_for("eve"), namespace)("get", "flows", "-w")
    assert (done.code, done.out) == (4, "")
    assert 'User "eve" cannot list resource "flows"' in done.err


async def test_kubectl_finds_the_command_as_its_plugin(
    cluster: Cluster, namespace: str, weir: Command
) -> None:
    await flow(cluster, namespace, "hello")
    path = f"{PROGRAMS}:{os.environ['PATH']}"
    kubectl = str(binaries.path("kubectl"))
    listed = await weir.program(kubectl, "weir", "get", "flows", "-n", namespace, PATH=path)
    assert (listed.code, listed.err) == (0, "")
    assert listed.out.splitlines()[1].startswith("hello")
    helped = await weir.program(kubectl, "weir", "run", "--help", PATH=path)
    assert helped.out.startswith("Usage: kubectl weir run ")


async def test_somebody_without_rights_is_told_so(
    api_server: ApiServer, namespace: str, cluster: Cluster
) -> None:
    done = await Command(api_server.kubeconfig_for("eve"), namespace)("get")
    assert (done.code, done.out) == (4, "")
    assert 'User "eve" cannot list resource "executions"' in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(None, "no way to a cluster", id="no kubeconfig"),
        pytest.param("{}", "no way to a cluster", id="an empty kubeconfig"),
        pytest.param("[]", "no good kubeconfig", id="another file"),
        pytest.param("{", "no good kubeconfig", id="a broken kubeconfig"),
        pytest.param(
            "clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\n"
            "contexts: [{name: c, context: {cluster: c, user: u}}]\n"
            "users: [{name: u, user: {}}]\ncurrent-context: c\n",
            "the API server does not answer",
            id="a cluster that is away",
        ),
    ],
)
async def test_a_cluster_that_cannot_be_reached_is_told_in_one_line(
    tmp_path: Path, content: str | None, complaint: str
) -> None:
    file = tmp_path / "kubeconfig"
    if content is not None:
        file.write_text(content)
    done = await Command(file, "default")("get")
    assert (done.code, done.out) == (4, "")
    assert complaint in done.err
    assert done.err.count("\n") == 1
