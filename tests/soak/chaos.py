"""Kills parts of Weir and runner Pods at moments and in an order that a seed decides."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Literal

from tests.e2e.installation import Component, Installation
from weir.api import names
from weir.cluster.client import Cluster
from weir.cluster.errors import ClusterError
from weir.cluster.kinds import PODS

# Half of all kills are of runner Pods. Operator and server get the time to come back.
_VICTIMS: tuple[Component | Literal["runner"], ...] = ("operator", "server", "runner", "runner")
_SHORTEST, _LONGEST = 4.0, 15.0


class Chaos:
    """What kills."""

    def __init__(
        self, installation: Installation, cluster: Cluster, namespace: str, seed: int
    ) -> None:
        self._installation = installation
        self._cluster = cluster
        self._namespace = namespace
        self._random = random.Random(seed)
        self.killed: Counter[str] = Counter()

    async def run(self, seconds: float) -> None:
        """Kill for so long."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while loop.time() < until:
            await asyncio.sleep(self._random.uniform(_SHORTEST, _LONGEST))
            victim = self._random.choice(_VICTIMS)
            try:
                await self._kill(victim)
            except (ClusterError, OSError) as error:  # it went by itself meanwhile
                print(f"not killed: {victim}: {error}", flush=True)

    async def _kill(self, victim: Component | Literal["runner"]) -> None:
        if victim != "runner":
            await self._installation.kill(self._cluster, victim)
            self.killed[victim] += 1
            return
        labels = f"{names.MANAGED_BY_LABEL}={names.MANAGED_BY}"
        pods = (await self._cluster.list(PODS, self._namespace, labels=labels)).items
        alive = sorted(
            pod["metadata"]["name"]
            for pod in pods
            if "deletionTimestamp" not in pod["metadata"]
            and pod.get("status", {}).get("phase") in ("Pending", "Running")
        )
        if alive:
            pod = self._random.choice(alive)
            await self._cluster.delete(PODS, self._namespace, pod, grace_seconds=0)
            self.killed["runner"] += 1
