"""Measure Webhooks: `python -m bench.webhooks`, on an API server of its own, without a kubelet.

No Pod is needed: what is counted are the runs that calls make, by the names that their deliveries
give them.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import ssl
import statistics
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.figures import Report, Sample, Verdict, tables
from tests.cluster.apiserver import ApiServer
from tests.integration.conftest import install_crds
from tests.integration.server.conftest import settings_for, with_certificate
from tests.integration.server.processes import running
from tests.integration.server.worlds import World, until
from weir.api import names
from weir.cluster.client import Cluster
from weir.cluster.kinds import EXECUTIONS, NAMESPACES, WEBHOOKS

# Of every so many calls one is sent twice, as senders do that had no answer.
_AGAIN_EVERY = 10


@dataclass(frozen=True)
class Caller:
    """Where calls go."""

    url: str
    path: str
    context: ssl.SSLContext


@dataclass(frozen=True)
class Calls:
    """What became of many calls."""

    seconds: tuple[float, ...]  # of each call
    took: float  # all of them
    statuses: Counter[int]
    told: dict[str, set[str]]  # delivery -> names of runs in the answers

    def percentile(self, percent: int) -> float:
        """Return the seconds that so many percent of the calls took at most."""
        return statistics.quantiles(self.seconds, n=100, method="inclusive")[percent - 1]


async def called(caller: Caller, calls: int, connections: int) -> Calls:
    """Make calls, each a delivery of its own; some of them twice."""
    waiting = iter(range(calls))
    statuses: Counter[int] = Counter()
    seconds: list[float] = []
    told: dict[str, set[str]] = {}

    async def connection() -> None:
        async with httpx.AsyncClient(
            base_url=caller.url, verify=caller.context, trust_env=False, timeout=60
        ) as client:
            for number in waiting:
                delivery = f"delivery-{number}"
                for _ in range(2 if number % _AGAIN_EVERY == 0 else 1):
                    began = time.perf_counter()
                    answer = await client.post(
                        caller.path, json={"n": number}, headers={"Idempotency-Key": delivery}
                    )
                    seconds.append(time.perf_counter() - began)
                    statuses[answer.status_code] += 1
                    if answer.status_code == 202:
                        told.setdefault(delivery, set()).add(answer.json()["execution"])

    began = time.perf_counter()
    await asyncio.gather(*(connection() for _ in range(connections)))
    return Calls(tuple(seconds), time.perf_counter() - began, statuses, told)


async def made(world: World, webhook: str) -> Counter[int]:
    """Return how many runs each call has made, by the number in its inputs."""
    found: Counter[int] = Counter()
    labels = f"{names.WEBHOOK_LABEL}={webhook}"
    async for page in world.cluster.pages(EXECUTIONS, world.namespace, labels=labels):
        found.update(item["spec"]["inputs"]["json"]["n"] for item in page.items)
    return found


def problems(calls: int, answers: Calls, found: Counter[int]) -> list[str]:
    """Return what is wrong: calls that were lost, doubled, or told of different runs."""
    wrong = [f"call {one} made no run" for one in range(calls) if not found[one]]
    wrong += [f"call {one} made {count} runs" for one, count in found.items() if count != 1]
    wrong += [f"{one} told of {told}" for one, told in answers.told.items() if len(told) != 1]
    wrong += [f"{one} was not accepted" for one in range(calls - len(answers.told))]
    return wrong


async def hook(world: World, name: str) -> str:
    """Make the Flow and the Webhook that is called, and return its path."""
    await world.flow("nothing")
    body = {
        "apiVersion": names.API_VERSION,
        "kind": "Webhook",
        "metadata": {"name": name},
        "spec": {
            "flow": "nothing",
            "enabled": True,
            "async": True,
            "rate": {"perMinute": 1_000_000, "burst": 1_000_000},
        },
    }
    await world.cluster.create(WEBHOOKS, world.namespace, body)
    return f"/hooks/{world.namespace}/{name}"


@asynccontextmanager
async def place() -> AsyncIterator[tuple[World, Caller]]:
    """An API server, a server of Weir's as a process of its own, and a Webhook."""
    with ApiServer() as api_server, tempfile.TemporaryDirectory() as folder:
        async with await Cluster.connect(kubeconfig=api_server.kubeconfig) as cluster:
            await install_crds(cluster)
            namespace = f"bench-{uuid.uuid4().hex[:8]}"
            await cluster.create(NAMESPACES, None, {"metadata": {"name": namespace}})
            world = World(cluster, namespace)
            await world.prepare()
            context = ssl.create_default_context(cadata=await with_certificate(world))
            settings = settings_for(world, f"sqlite:///{folder}/weir.db")
            path = await hook(world, "bench")
            async with running(settings, api_server.kubeconfig, Path(folder) / "log"):
                yield world, Caller(f"https://127.0.0.1:{settings.port}", path, context)


async def measure(calls: int, connections: int) -> tuple[Report, list[str]]:
    """Call, count, and return the figures and what is wrong."""
    async with place() as (world, caller):
        async with httpx.AsyncClient(
            base_url=caller.url, verify=caller.context, trust_env=False
        ) as client:

            async def known() -> bool:
                answer = await client.post(
                    caller.path, json={"n": -1}, headers={"Idempotency-Key": "first"}
                )
                return answer.status_code == 202

            await until(known)
        answers = await called(caller, calls, connections)
        found = await made(world, "bench")
    del found[-1]
    wrong = problems(calls, answers, found)
    samples = tuple(
        Sample(f"{connections} connections: {percent} % of calls within", "ms", (value * 1000,))
        for percent, value in ((50, answers.percentile(50)), (99, answers.percentile(99)))
    )
    rate = Sample("calls", "per s", (len(answers.seconds) / answers.took,))
    verdict = Verdict(f"of {calls} calls lost or doubled", len(wrong), "at most", 0)
    return Report((*samples, rate), (verdict,)), wrong


def main() -> int:
    """Measure, print, and return 1 when a call was lost or doubled."""
    parser = argparse.ArgumentParser(prog="python -m bench.webhooks", description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=64)
    options = parser.parse_args()
    report, wrong = asyncio.run(measure(options.calls, options.connections))
    print(tables(report))
    for one in itertools.islice(wrong, 20):
        print(one, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
