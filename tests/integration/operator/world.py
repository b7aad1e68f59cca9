"""What people, kubelets and the server do to a namespace, and waiting for what becomes of it."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tests.builders import HANDLER
from weir.api import names
from weir.api.resource import JsonObject, render_time
from weir.cluster.client import Cluster
from weir.cluster.errors import NotFound
from weir.cluster.kinds import EXECUTIONS, FLOWS, PODS, Kind

WAIT_SECONDS = 30.0


class World:
    """One namespace of a cluster."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace

    async def flow(self, name: str = "hello", *, ready: bool = True, **spec: Any) -> JsonObject:
        """Create a Flow, and wait until it is ready."""
        body = _object("Flow", name, {"script": HANDLER} | spec)
        made = await self.cluster.create(FLOWS, self.namespace, body)
        if ready:
            made = await self.condition(FLOWS, name, "True")
        return made

    async def condition(self, kind: Kind, name: str, status: str) -> JsonObject:
        """Wait until a Flow or Connector is ready, or is not."""
        return await self.until(
            kind,
            name,
            lambda item: any(
                one["status"] == status and one["observedGeneration"] == _generation(item)
                for one in item.get("status", {}).get("conditions", [])
            ),
        )

    async def run(self, name: str = "run", **spec: Any) -> JsonObject:
        """Create an Execution, of the Flow `hello` where nothing else is said."""
        if not spec.keys() & {"flow", "script", "connection"}:
            spec["flow"] = "hello"
        return await self.cluster.create(
            EXECUTIONS, self.namespace, _object("Execution", name, spec)
        )

    async def child(self, parent: JsonObject, name: str, **spec: Any) -> JsonObject:
        """Create a child of an Execution, as the server does."""
        metadata = parent["metadata"]
        reference = {"name": metadata["name"], "uid": metadata["uid"], "sequence": 1}
        return await self.run(name, parent=reference, **spec)

    async def phase(self, name: str, *phases: str, **status: Any) -> JsonObject:
        """Wait until an Execution is in one of the phases, and return its status."""
        item = await self.until(
            EXECUTIONS,
            name,
            lambda item: (
                item.get("status", {}).get("phase") in phases
                and status.items() <= item["status"].items()
            ),
        )
        found: JsonObject = item["status"]
        return found

    async def until(self, kind: Kind, name: str, holds: Callable[[JsonObject], bool]) -> JsonObject:
        """Wait until something holds of an object, and return it."""
        last: JsonObject = {}
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                changes = self.cluster.watch(kind, self.namespace, fields=f"metadata.name={name}")
                async for change in changes:
                    last = change.object or last
                    if change.object and holds(change.object):
                        return change.object
        except TimeoutError:
            raise AssertionError(f"{kind.plural} {name} stays {last.get('status')}") from None
        raise AssertionError("a watch never ends")

    async def pods(self) -> list[JsonObject]:
        """Return all Pods of the namespace."""
        return (await self.cluster.list(PODS, self.namespace)).items

    async def pods_not_leaving(self) -> list[JsonObject]:
        """Return the Pods that nobody has asked to go; to let them go takes a kubelet."""
        return [pod for pod in await self.pods() if "deletionTimestamp" not in pod["metadata"]]

    async def pod_of(self, name: str = "run") -> JsonObject:
        """Wait until an Execution's status names its Pod, and return that."""
        item = await self.until(EXECUTIONS, name, lambda item: "runner" in item.get("status", {}))
        pod = item["status"]["runner"]["pod"]
        return await self.cluster.get(PODS, self.namespace, pod)

    async def no_pods(self) -> None:
        """Wait until the namespace has no Pod."""
        await self.eventually(self._has_no_pods)

    async def _has_no_pods(self) -> bool:
        return not await self.pods()

    async def eventually(self, holds: Callable[[], Any], seconds: float = WAIT_SECONDS) -> None:
        """Wait until something holds that no watch tells of."""
        async with asyncio.timeout(seconds):
            while not await holds():
                await asyncio.sleep(0.1)

    # The kubelet

    async def runs(self, name: str = "run") -> None:
        """The Pod's process has begun."""
        running = {"running": {"startedAt": _now()}}
        await self._pod_status(name, phase="Running", containerStatuses=[_container(running)])

    async def exits(self, code: int, name: str = "run", reason: str = "Error") -> None:
        """The Pod's process has ended."""
        times = {"startedAt": _now(), "finishedAt": _now()}
        ended = {"terminated": {"exitCode": code, "reason": reason} | times}
        phase = "Failed" if code else "Succeeded"
        await self._pod_status(name, phase=phase, containerStatuses=[_container(ended)])

    async def is_unschedulable(self, name: str = "run") -> None:
        """The scheduler finds no node."""
        condition = {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": "0/1 nodes are available: 1 Insufficient cpu.",
            "lastTransitionTime": _now(),
        }
        await self._pod_status(name, conditions=[condition])

    async def _pod_status(self, name: str, **status: Any) -> None:
        pod = await self.pod_of(name)
        await self.cluster.patch(
            PODS, self.namespace, pod["metadata"]["name"], {"status": status}, status=True
        )

    async def delete_pod(self, name: str = "run") -> None:
        """Somebody deletes the Pod."""
        pod = await self.pod_of(name)
        await self.cluster.delete(PODS, self.namespace, pod["metadata"]["name"], grace_seconds=0)

    # The server

    async def reports(self, phase: str, name: str = "run", **status: Any) -> None:
        """The script reports."""
        fields: JsonObject = {"phase": phase, "startTime": _now()} | status
        if phase in ("Succeeded", "Failed", "Cancelled"):
            fields["completionTime"] = _now()
        await self.cluster.patch(EXECUTIONS, self.namespace, name, {"status": fields}, status=True)

    async def cancel(self, name: str = "run") -> None:
        """Somebody cancels a run."""
        body = {"spec": {"desiredState": "Cancelled"}}
        await self.cluster.patch(EXECUTIONS, self.namespace, name, body)

    async def finishes(self, name: str = "run") -> None:
        """A run is done: its script, its report, its process."""
        await self.phase(name, "Starting")
        await self.runs(name)
        await self.reports("Succeeded", name)
        with contextlib.suppress(NotFound):  # the operator may have deleted it already
            await self.exits(0, name)


def _object(kind: str, name: str, spec: JsonObject) -> JsonObject:
    return {
        "apiVersion": names.API_VERSION,
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    }


def _generation(item: JsonObject) -> int:
    return int(item["metadata"]["generation"])


def _container(state: JsonObject) -> JsonObject:
    return {
        "name": "runner",
        "image": "weir-runner:test",
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": state,
    }


def _now() -> str:
    return render_time(datetime.now(UTC))
