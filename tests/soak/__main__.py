"""Runs the soak against the cluster that `make up` brings up, and says what is wrong.

    python -m tests.soak [--roots 200] [--seconds 600] [--seed 1]

Exits with 1 if a run did not end as without faults, or if anything is doubled or lost.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import time
import uuid
from collections import Counter

from tests.e2e.installation import Installation
from tests.soak.chaos import Chaos
from tests.soak.checking import Found, kind_of, troubles
from tests.soak.receiver import Receiver
from tests.soak.work import BELOW, COUNTER, COUNTER_LOCK, KINDS
from weir.api import names
from weir.api.execution import Execution
from weir.api.resource import JsonObject
from weir.cluster.client import Cluster
from weir.cluster.errors import ClusterError
from weir.cluster.kinds import EXECUTIONS, FLOWS, MESSAGES, NAMESPACES, SETTINGS, Kind

SERVICE_ACCOUNTS = Kind("", "v1", "serviceaccounts")
# After the last kill, all that was held up ends within this.
_PATIENCE = 600.0


class Soak:
    """One soak, in a namespace of its own."""

    def __init__(self, installation: Installation, cluster: Cluster, receiver: Receiver) -> None:
        self._installation = installation
        self._cluster = cluster
        self._receiver = receiver
        self._namespace = f"soak-{uuid.uuid4().hex[:6]}"

    async def run(self, roots: int, seconds: float, seed: int) -> list[str]:
        """Run it and return what is wrong."""
        await self._prepare()
        chaos = Chaos(self._installation, self._cluster, self._namespace, seed)
        answering = asyncio.create_task(self._answer())
        began = time.monotonic()
        try:
            await asyncio.gather(chaos.run(seconds), self._start(roots, 0.8 * seconds))
            print(f"killed {dict(chaos.killed)}; waiting for the last to end", flush=True)
            found = await self._found(roots)
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)
        wrong = troubles(found)
        self._tell(found, time.monotonic() - began)
        if not wrong:
            await self._cluster.delete(NAMESPACES, None, self._namespace)
        return wrong

    async def _prepare(self) -> None:
        cluster, namespace = self._cluster, self._namespace
        await cluster.create(NAMESPACES, None, {"metadata": {"name": namespace}})
        watch = cluster.watch(SERVICE_ACCOUNTS, namespace, fields="metadata.name=default")
        async for change in watch:
            if change.object:
                break
        for name, spec in BELOW.items():
            await self._create(FLOWS, "Flow", name, spec)
        for name, kind in KINDS.items():
            await self._create(FLOWS, "Flow", name, {"script": kind.script, **kind.spec})
        await self._create(SETTINGS, "Setting", COUNTER, {"value": 0})
        await self._create(SETTINGS, "Setting", COUNTER_LOCK, {"value": None})

    async def _create(self, kind: Kind, kind_name: str, name: str, spec: JsonObject) -> None:
        body = {
            "apiVersion": names.API_VERSION,
            "kind": kind_name,
            "metadata": {"name": name},
            "spec": spec,
        }
        await self._cluster.create(kind, self._namespace, body)

    async def _start(self, roots: int, seconds: float) -> None:
        """Start the roots one after the other, all kinds in turn."""
        kinds = list(KINDS)
        for number in range(roots):
            kind = kinds[number % len(kinds)]
            inputs = {"n": number, "url": f"{self._receiver.url}/soak"}
            spec = {"flow": kind, "inputs": inputs}
            await self._create(EXECUTIONS, "Execution", f"{kind}-{number}", spec)
            await asyncio.sleep(seconds / roots)

    async def _answer(self) -> None:
        """Answer each message, as a person with kubectl does."""
        async for change in self._cluster.watch(MESSAGES, self._namespace):
            spec = change.object.get("spec", {})
            if not spec or spec.get("response") is not None or change.type == "DELETED":
                continue
            response = {"string": f"answer to {spec['subject']}"}
            with contextlib.suppress(ClusterError):
                await self._cluster.patch(
                    MESSAGES,
                    self._namespace,
                    change.object["metadata"]["name"],
                    {"spec": {"response": response}},
                )

    async def _found(self, roots: int) -> Found:
        """Return what is there when all have ended, or when patience has."""
        until = time.monotonic() + _PATIENCE
        while True:
            listing = await self._cluster.list(EXECUTIONS, self._namespace)
            all_ = [Execution.model_validate(item) for item in listing.items]
            unfinished = [one for one in all_ if not one.phase.is_final]
            if not unfinished or time.monotonic() > until:
                break
            await asyncio.sleep(2)
        settings = (await self._cluster.list(SETTINGS, self._namespace)).items
        ours = [one for one in all_ if one.spec.parent is None]
        assert len(ours) == roots, f"{roots} were made, {len(ours)} are there"
        return Found(
            roots=ours,
            children=[one for one in all_ if one.spec.parent is not None],
            messages=(await self._cluster.list(MESSAGES, self._namespace)).items,
            settings={one["metadata"]["name"]: one["spec"].get("value") for one in settings},
            posts=self._receiver.received,
        )

    def _tell(self, found: Found, seconds: float) -> None:
        phases = Counter(str(one.phase) for one in found.roots)
        cut = sum("cut" in (one.status.outputs or {}) for one in found.roots)
        kinds = Counter(kind_of(one)[0] for one in found.roots)
        losses = sum((one.status.attempt or 1) - 1 for one in [*found.roots, *found.children])
        print(f"{len(found.roots)} roots of {len(kinds)} kinds in {seconds:.0f} s: {dict(phases)}")
        print(f"{len(found.children)} children, {len(found.messages)} messages answered,")
        print(f"{losses} attempts after the first, {cut} connections cut in the middle")


async def soak(roots: int, seconds: float, seed: int) -> list[str]:
    """Run a soak and return what is wrong."""
    installation = Installation.up()
    async with await Cluster.connect(kubeconfig=installation.kubeconfig) as cluster:
        with Receiver.started() as receiver:
            return await Soak(installation, cluster, receiver).run(roots, seconds, seed)


def main() -> int:
    """Run as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--roots", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    wrong = asyncio.run(soak(options.roots, options.seconds, options.seed))
    for line in wrong:
        print(f"wrong: {line}")
    print(f"seed {options.seed}: {len(wrong)} wrong" if wrong else "all as without faults")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
