"""`make demo`: apply the examples, follow their runs, compare their ends, show what there is.

Everything stays in the namespace `weir-demo`; a second call deletes the runs and makes them anew.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from demo.examples import SERVICES, Expectation, asks, expectations, manifest
from demo.services import served
from tests.cluster import binaries, providers
from tests.cluster.errors import ClusterError as NoCluster
from weir.api.execution import Execution
from weir.api.resource import JsonObject
from weir.cli import trees
from weir.cli.terminal import Terminal
from weir.cluster.client import Cluster
from weir.cluster.errors import AlreadyExists, ClusterError
from weir.cluster.kinds import EXECUTIONS, NAMESPACES
from weir.cluster.watching import ChangeType

NAMESPACE = "weir-demo"
# All runs together; about 20 s on two cores.
PATIENCE = 240.0


class DemoError(Exception):
    """The demo cannot go on; the message says why and what to do."""


class Demo:
    """The demo in one cluster."""

    def __init__(self, cluster: Cluster, kubeconfig: Path) -> None:
        self._cluster = cluster
        self._kubeconfig = kubeconfig
        self._terminal = Terminal.of(sys.stdout)

    async def run(self) -> bool:
        """Run all examples; return whether each ended as expected."""
        expected = expectations()
        await self._prepare(expected)
        addresses = {
            service.public: await served(self._cluster, NAMESPACE, service) for service in SERVICES
        }
        began = time.monotonic()
        for file in dict.fromkeys(one.file for one in expected):
            self._apply(file, addresses)
        say("\nThe runs, as they end:\n")
        responses = {one.execution: one.response for one in expected if one.response}
        ended = await self._followed({one.execution for one in expected}, responses)
        took = time.monotonic() - began
        good = await self._compared(expected, ended)
        self._show("kubectl", "get", "executions")
        self._show("weir", "tree", "three-levels")
        self._show("weir", "tree", "fan-out")
        if good:
            say(f"\nAll {len(expected)} runs ended as expected, within {took:.0f} s.")
            self._farewell()
        return good

    async def _prepare(self, expected: list[Expectation]) -> None:
        await self._until_not_terminating()
        try:
            await self._cluster.create(NAMESPACES, None, {"metadata": {"name": NAMESPACE}})
        except AlreadyExists:
            names = {one.execution for one in expected}
            for name in names:
                await self._cluster.delete(EXECUTIONS, NAMESPACE, name)
            await self._until_gone(names)

    async def _until_not_terminating(self) -> None:
        """Wait out the end of a namespace that was deleted just now."""
        going = False
        async for change in self._cluster.watch(NAMESPACES, fields=f"metadata.name={NAMESPACE}"):
            if change.object:
                going = "deletionTimestamp" in change.object["metadata"]
            if change.type == ChangeType.DELETED or (
                change.type == ChangeType.SYNCED and not going
            ):
                return

    async def _until_gone(self, names: set[str]) -> None:
        left = set(names)
        async for change in self._cluster.watch(EXECUTIONS, NAMESPACE):
            name = change.object.get("metadata", {}).get("name", "")
            if change.type == ChangeType.SYNCED:
                listing = await self._cluster.list(EXECUTIONS, NAMESPACE)
                left &= {item["metadata"]["name"] for item in listing.items}
            elif change.type == ChangeType.DELETED:
                left.discard(name)
            if change.type != ChangeType.ADDED and not left:
                return

    def _apply(self, file: str, addresses: dict[str, str]) -> None:
        say(f"$ kubectl apply -f examples/{file}")
        done = subprocess.run(
            [*self._command("kubectl"), "apply", "--filename=-"],
            input=manifest(file, addresses),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise DemoError(f"examples/{file} was refused: {done.stderr.strip()}")

    async def _followed(
        self, names: set[str], responses: dict[str, JsonObject]
    ) -> dict[str, Execution]:
        """Tell each run's end as it comes, and return the runs; answer those that ask."""
        unanswered = dict(responses)
        ended: dict[str, Execution] = {}
        try:
            async with asyncio.timeout(PATIENCE):
                async for change in self._cluster.watch(EXECUTIONS, NAMESPACE):
                    if not change.object or change.type == ChangeType.DELETED:
                        continue
                    run = Execution.model_validate(change.object)
                    name = run.metadata.name
                    if name in unanswered and asks(run):
                        answer = json.dumps(unanswered.pop(name))
                        await asyncio.to_thread(self._show, "weir", "messages")
                        await asyncio.to_thread(
                            self._show, "weir", "respond", name, "--response", answer
                        )
                        say("")
                    if name in names and name not in ended and run.phase.is_final:
                        ended[name] = run
                        say(f"  {self._line(run)}")
                    if len(ended) == len(names):
                        break
        except TimeoutError:
            missing = ", ".join(sorted(names - ended.keys()))
            say(f"\nNot ended within {PATIENCE:.0f} s: {missing}")
        return ended

    async def _compared(self, expected: list[Expectation], ended: dict[str, Execution]) -> bool:
        listing = await self._cluster.list(EXECUTIONS, NAMESPACE)
        everyone = [Execution.model_validate(item) for item in listing.items]
        good = True
        for one in expected:
            run = ended.get(one.execution)
            if run is None:
                problems = ["it did not end"]
            else:
                mine = [it for it in everyone if it.spec.parent and it.spec.parent.uid == run.uid]
                problems = list(one.problems(run, len(mine)))
            for problem in problems:
                good = False
                say(f"\nNot as expected: {one.execution} of examples/{one.file}: {problem}")
        return good

    def _line(self, run: Execution) -> str:
        return trees.line(run, now=datetime.now(UTC), terminal=self._terminal)

    def _show(self, program: str, *arguments: str) -> None:
        say(f"\n$ {program} --namespace {NAMESPACE} {shlex.join(arguments)}")
        subprocess.run([*self._command(program), *arguments], check=False)

    def _command(self, program: str) -> list[str]:
        path = binaries.path("kubectl") if program == "kubectl" else Path(sys.executable)
        module = [] if program == "kubectl" else ["-m", "weir.cli"]
        here = [f"--kubeconfig={self._kubeconfig}", f"--namespace={NAMESPACE}"]
        return [str(path), *module, *here]

    def _farewell(self) -> None:
        say(
            f"""
Everything is left in namespace {NAMESPACE}, to look around:

  export KUBECONFIG={self._kubeconfig}
  export PATH="{Path(sys.executable).parent}:{binaries.path("kubectl").parent}:$PATH"
  weir -n {NAMESPACE} get flows
  weir -n {NAMESPACE} run fahrenheit --input celsius=37 --follow
  weir -n {NAMESPACE} logs three-levels --tree
  kubectl explain execution.spec

Clean up: `make cluster-down`, or `kubectl delete namespace {NAMESPACE}`."""
        )


def say(text: str) -> None:
    """Print at once: what runs below prints to the same place."""
    print(text, flush=True)


async def demo() -> bool:
    """Run the demo in the cluster that `make up` made. Raises DemoError, ClusterError."""
    provider = providers.get(os.environ.get("PROVIDER") or None)
    if not provider.is_healthy():
        raise DemoError("there is no healthy cluster: run `make up` first, or `make demo`")
    async with await Cluster.connect(kubeconfig=provider.kubeconfig) as cluster:
        return await Demo(cluster, provider.kubeconfig).run()


def main() -> int:
    """Run the demo; return the exit code."""
    try:
        return 0 if asyncio.run(demo()) else 1
    except (DemoError, ClusterError, NoCluster, LookupError, TimeoutError) as error:
        print(f"error: {error or type(error).__name__}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
