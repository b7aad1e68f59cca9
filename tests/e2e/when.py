"""What people, nodes and programs do: run, cancel, delete, kill."""

from __future__ import annotations

import uuid
from typing import Any

from tests.e2e.given import camel, source
from tests.e2e.run import Run
from tests.e2e.world import World
from weir.api import names
from weir.api.resource import JsonObject
from weir.cluster.client import Cluster
from weir.cluster.kinds import EXECUTIONS, FLOWS, NAMESPACES, PODS


class When:
    """Acts on the test's namespace, as its administrator unless said otherwise."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def executed(
        self,
        flow: str | None = None,
        *,
        script: str | None = None,
        connection: JsonObject | None = None,
        inputs: JsonObject | None = None,
        name: str | None = None,
        by: Cluster | None = None,
        **spec: Any,
    ) -> Run:
        """Create an Execution of a flow, a script or a connection, and return its run."""
        body: JsonObject = camel(spec)
        if flow is not None:
            body["flow"] = flow
        if script is not None:
            body["script"] = source(script)
        if connection is not None:
            body["connection"] = connection
        if inputs is not None:
            body["inputs"] = inputs
        name = name or f"{names.slug(flow or 'run')[:40]}-{uuid.uuid4().hex[:6]}"
        created = await (by or self._world.cluster).create(
            EXECUTIONS, self._world.namespace, execution(name, body)
        )
        run = self.run(created)
        await self._world.history.until(
            lambda: run.exists, within=30, what=f"{name} to be seen by the watch"
        )
        return run

    def run(self, created: JsonObject) -> Run:
        """Return the run of an Execution's object."""
        metadata = created["metadata"]
        return Run(metadata["name"], metadata["uid"], self._world.namespace, self._world.history)

    async def cancelled(self, run: Run) -> None:
        """Ask for a run's end."""
        await self._desire(run, "Cancelled")

    async def paused(self, run: Run) -> None:
        """Ask for a run to be held."""
        await self._desire(run, "Paused")

    async def resumed(self, run: Run) -> None:
        """Let a run go on that was created with desiredState Paused."""
        await self._desire(run, "Running")

    async def deleted(self, run: Run) -> None:
        """Delete a run's object, as `kubectl delete` does."""
        await self._world.cluster.delete(EXECUTIONS, self._world.namespace, run.name)

    async def flow_deleted(self, name: str) -> None:
        """Delete a Flow."""
        await self._world.cluster.delete(FLOWS, self._world.namespace, name)

    async def flow_changed(self, name: str, **spec: Any) -> None:
        """Change fields of a Flow's spec."""
        await self._world.cluster.patch(FLOWS, self._world.namespace, name, {"spec": camel(spec)})

    async def namespace_deleted(self) -> None:
        """Delete the test's namespace with all that is in it."""
        await self._world.cluster.delete(NAMESPACES, None, self._world.namespace)

    async def pod_deleted(self, run: Run, *, at_once: bool = False) -> str:
        """Delete the Pod of a run's current attempt, as an eviction does; return its UID."""
        # Those of earlier attempts may still be there.
        (uid,) = [pod["metadata"]["uid"] for pod in run.pods if pod["metadata"]["name"] == run.pod]
        await self._world.cluster.delete(
            PODS, self._world.namespace, str(run.pod), grace_seconds=0 if at_once else None
        )
        return str(uid)

    async def told(self, run: Run, word: str = "go") -> None:
        """Let a script go on that waits for a file in its Pod's /tmp."""
        await self.commanded(run, "touch", f"/tmp/{word}")

    async def commanded(self, run: Run, *command: str) -> str:
        """Run a command in a run's Pod, as `kubectl exec` does; return what it printed."""
        assert run.pod is not None, f"{run.name} has no Pod"
        return await self._world.installation.kubectl(
            "exec", f"--namespace={self._world.namespace}", run.pod, "--", *command
        )

    async def minted_token(self, audience: str) -> str:
        """Return a token of the namespace's service account that is bound to no Pod."""
        namespace = f"--namespace={self._world.namespace}"
        token = await self._world.installation.kubectl(
            "create", "token", "default", namespace, f"--audience={audience}"
        )
        return token.strip()

    async def _desire(self, run: Run, state: str) -> None:
        body = {"spec": {"desiredState": state}}
        await self._world.cluster.patch(EXECUTIONS, self._world.namespace, run.name, body)


def execution(name: str, spec: JsonObject) -> JsonObject:
    """Return the object of an Execution."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": "Execution",
        "metadata": {"name": name},
        "spec": spec,
    }
