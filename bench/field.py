"""Where is measured: a namespace of its own in a cluster with Weir, with bare Pods beside the runs.

A bare Pod is what an Execution's Pod is (image, user, capabilities, resources), without Weir.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.e2e.given import Given
from tests.e2e.history import History
from tests.e2e.installation import NAMESPACE, Installation
from tests.e2e.run import Run
from tests.e2e.when import When
from tests.e2e.world import World
from weir.api.resource import JsonObject
from weir.cluster.client import Cluster
from weir.cluster.kinds import EXECUTIONS, NAMESPACES, PODS, Kind

SERVICE_ACCOUNTS = Kind("", "v1", "serviceaccounts")
DEPLOYMENTS = Kind("apps", "v1", "deployments")

PATIENCE = 180.0
NOTHING = "def handler(system, this): pass"


@dataclass(frozen=True)
class Runner:
    """What the installation makes runner Pods of."""

    image: str
    resources: JsonObject


class Field:
    """A namespace under watch, with flows to run, bare Pods to compare with, and a stopwatch."""

    def __init__(self, world: World, runner: Runner) -> None:
        self.world = world
        self.runner = runner
        self.given = Given(world)
        self.when = When(world)

    async def bare_pod(self, **more: Any) -> float:
        """Create a bare Pod and return the seconds until its phase is Succeeded; leave no trace."""
        name, began = await self.begin_bare_pod(**more)
        seconds = await self.pod_ended(name) - began
        await self.pod_deleted(name)
        return seconds

    async def begin_bare_pod(self, command: list[str] | None = None) -> tuple[str, float]:
        """Create a bare Pod and return its name, and when it was asked for."""
        name = f"bare-{uuid.uuid4().hex[:8]}"
        body = bare_pod(name, self.runner, command or ["python3", "-c", "print(1)"])
        began = time.monotonic()
        await self.world.cluster.create(PODS, self.world.namespace, body)
        return name, began

    async def pod_ended(self, name: str) -> float:
        """Wait until a Pod's phase is Succeeded, and return when that was heard of."""
        found: list[float] = []

        def ended() -> bool:
            for seen in self.world.history.versions(PODS, name):
                phase = seen.object.get("status", {}).get("phase")
                assert phase != "Failed", f"the bare Pod {name} failed: {seen.object['status']}"
                if phase == "Succeeded":
                    found.append(seen.at)
                    return True
            return False

        await self.world.history.until(ended, within=PATIENCE, what=f"the end of {name}")
        return found[0]

    async def pod_deleted(self, name: str) -> None:
        """Delete a Pod and wait until it is gone.

        Not at once: then its object goes first, and the node is still busy with it while the next
        thing is measured.
        """
        await self.world.cluster.delete(PODS, self.world.namespace, name)
        history = self.world.history
        await history.until(
            lambda: history.current(PODS, name) is None, within=PATIENCE, what=f"{name} to go"
        )

    async def execution(self, flow: str) -> tuple[float, Run]:
        """Run a flow and return the seconds from its creation to Succeeded; its Pods are gone."""
        began = time.monotonic()
        run = await self.when.executed(flow)
        seconds = await self.run_ended(run) - began
        await self.no_pods()
        return seconds, run

    async def run_ended(self, run: Run) -> float:
        """Wait until a run has succeeded, and return when that was heard of."""
        await self.world.history.until(
            lambda: run.phase.is_final, within=PATIENCE, what=f"the end of {run.name}"
        )
        assert run.phase == "Succeeded", run.describe()
        return next(
            seen.at
            for seen in self.world.history.versions(EXECUTIONS, run.name)
            if (seen.object.get("status") or {}).get("phase") == "Succeeded"
        )

    async def no_pods(self) -> None:
        """Wait until the namespace has no Pods: what follows is measured on an idle node."""
        history = self.world.history
        await history.until(lambda: not history.all(PODS), within=PATIENCE, what="Pods to go")


@asynccontextmanager
async def field(installation: Installation, cluster: Cluster) -> AsyncIterator[Field]:
    """Make a namespace to measure in, and delete it at the end."""
    namespace = f"bench-{uuid.uuid4().hex[:8]}"
    await cluster.create(NAMESPACES, None, {"metadata": {"name": namespace}})
    async for change in cluster.watch(SERVICE_ACCOUNTS, namespace, fields="metadata.name=default"):
        if change.object:
            break
    try:
        async with History(cluster, namespace) as history:
            world = World(cluster, namespace, history, installation)
            yield Field(world, await _runner(cluster))
    finally:
        await cluster.delete(NAMESPACES, None, namespace)


def bare_pod(name: str, runner: Runner, command: list[str]) -> JsonObject:
    """Return a Pod as Weir makes them, with nothing of Weir in it."""
    return {
        "metadata": {"name": name},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "runAsGroup": 65532,
                "fsGroup": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "bare",
                    "image": runner.image,
                    "command": command,
                    "resources": runner.resources,
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "runAsNonRoot": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                    "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
                }
            ],
            "volumes": [{"name": "tmp", "emptyDir": {}}],
        },
    }


async def _runner(cluster: Cluster) -> Runner:
    found = await cluster.get(DEPLOYMENTS, NAMESPACE, "weir-operator")
    (container,) = found["spec"]["template"]["spec"]["containers"]
    environment = {one["name"]: one.get("value", "") for one in container["env"]}
    return Runner(
        environment["WEIR_RUNNER_IMAGE"], json.loads(environment["WEIR_RUNNER_RESOURCES"])
    )
