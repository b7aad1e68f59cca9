"""Weir as it is installed: brought up by the user's command, looked at and broken by the tests."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests.cluster import binaries, providers
from tests.cluster.bare import BareCluster
from weir.api.resource import JsonObject
from weir.cluster.client import Cluster
from weir.cluster.kinds import PODS

REPOSITORY = Path(__file__).resolve().parents[2]
NAMESPACE = "weir-system"
Component = Literal["operator", "server"]

# `make up` from nothing builds Kubernetes, which takes ten minutes on two cores.
_UP_TIMEOUT = 40 * 60
_KUBECTL_TIMEOUT = 60


@dataclass(frozen=True)
class Installation:
    """A cluster with Weir in it."""

    provider: providers.Cluster
    kubeconfig: Path
    # kubectl of the cluster's version
    _kubectl: Path = field(repr=False)

    @classmethod
    def up(cls) -> Installation:
        """Run `make up`, which changes nothing where all is up already.

        With WEIR_AS_IS set, take what is installed, older than the checkout or not.
        """
        if not os.environ.get("WEIR_AS_IS"):
            subprocess.run(["make", "up"], cwd=REPOSITORY, check=True, timeout=_UP_TIMEOUT)
        provider = providers.get(os.environ.get("PROVIDER") or None, force=True)
        return cls(provider, provider.kubeconfig, binaries.path("kubectl"))

    @property
    def bare(self) -> BareCluster | None:
        """The node whose programs a test may stop; None in a cluster that is not ours to break."""
        return self.provider if isinstance(self.provider, BareCluster) else None

    async def kubectl(self, *arguments: str, kubeconfig: Path | None = None) -> str:
        """Run kubectl and return what it printed. Raises AssertionError with what it complained."""
        process = await asyncio.create_subprocess_exec(
            str(self._kubectl),
            f"--kubeconfig={kubeconfig or self.kubeconfig}",
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(), _KUBECTL_TIMEOUT)
        except TimeoutError:
            process.kill()
            out, err = await process.communicate()
            err += f"\nno answer within {_KUBECTL_TIMEOUT} s".encode()
        complaint = err.decode(errors="replace").strip()
        assert process.returncode == 0, f"kubectl {' '.join(arguments)}: {complaint}"
        return out.decode(errors="replace")

    async def pods_of(self, cluster: Cluster, component: Component) -> list[JsonObject]:
        """Return the Pods of the operator or of the server that are not on their way out."""
        labels = f"app.kubernetes.io/name=weir,app.kubernetes.io/component={component}"
        found = (await cluster.list(PODS, NAMESPACE, labels=labels)).items
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    async def kill(self, cluster: Cluster, component: Component) -> None:
        """Kill the program by SIGKILL and remove its Pod: nothing is released, nothing said.

        The Pod goes as well, for the kubelet restarts a container that died twice only after a
        pause.
        """
        for pod in await self.pods_of(cluster, component):
            if self.bare is not None:
                signal_processes_of(pod, signal.SIGKILL)
            await cluster.delete(PODS, NAMESPACE, pod["metadata"]["name"], grace_seconds=0)

    async def until_ready(self, cluster: Cluster, component: Component, within: float = 90) -> None:
        """Wait until a Pod of the component is Ready."""
        labels = f"app.kubernetes.io/name=weir,app.kubernetes.io/component={component}"
        async with asyncio.timeout(within):
            async for change in cluster.watch(PODS, NAMESPACE, labels=labels):
                metadata = change.object.get("metadata", {})
                if "deletionTimestamp" not in metadata and _is_ready(change.object):
                    return


def _is_ready(pod: JsonObject) -> bool:
    conditions = pod.get("status", {}).get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def signal_processes_of(pod: JsonObject, what: signal.Signals) -> None:
    """Send a signal to what runs in a Pod of our own node, from outside."""
    for pid in _processes_of(pod["metadata"]["uid"]):
        os.kill(pid, what)


def touch_in(pod: JsonObject, file: str) -> None:
    """Make an empty file in a Pod of our own node, from outside: no kubelet is needed for it."""
    for pid in _processes_of(pod["metadata"]["uid"]):
        Path(f"/proc/{pid}/root{file}").touch()


async def until_processes_end(pod: JsonObject, *, within: float = 30) -> None:
    """Wait until nothing runs any more in a Pod of our own node, whatever the API says."""
    loop = asyncio.get_running_loop()
    for pid in _processes_of(pod["metadata"]["uid"]):
        ended = asyncio.Event()
        descriptor = os.pidfd_open(pid)  # readable when the process has ended
        loop.add_reader(descriptor, ended.set)
        try:
            async with asyncio.timeout(within):
                await ended.wait()
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)


def _processes_of(pod_uid: str) -> list[int]:
    """Return the processes of a Pod's containers but its pause container's, by their cgroup."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            cgroup = (folder / "cgroup").read_text()
            command = (folder / "cmdline").read_bytes()
        except OSError:  # it ended meanwhile
            continue
        if pod_uid in cgroup and not command.startswith(b"/pause"):
            found.append(int(folder.name))
    return found
