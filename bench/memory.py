"""What operator and server hold in memory with many finished Executions.

The objects are real, and were taken through their phases by status writes; they had no Pods.
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime

from bench.field import Field
from bench.figures import Report, Sample, Verdict
from tests.e2e.installation import NAMESPACE, Component
from tests.e2e.when import execution
from weir.api.resource import render_time
from weir.cluster.kinds import EXECUTIONS, FLOWS

_AT_ONCE = 16
COMPONENTS: tuple[Component, ...] = ("operator", "server")


async def measure(field: Field, count: int) -> Report:
    """Make `count` finished Executions, restart both programs, and read what they hold."""
    turn = asyncio.Semaphore(_AT_ONCE)

    async def one(number: int) -> None:
        async with turn:
            await _finished(field, number)

    await asyncio.gather(*(one(number) for number in range(count)))
    samples, verdicts = [], []
    for moment in ("", ", restarted"):
        if moment:
            await restarted(field)
        for component in COMPONENTS:
            now, most = await resident(field, component)
            name = f"{component} with {count} finished{moment}"
            samples.append(Sample(f"{name}, now and at most", "MB", (now, most)))
            verdicts.append(Verdict(f"{name}: RSS", now, "at most", 150, "MB"))
    return Report(tuple(samples), tuple(verdicts))


async def _finished(field: Field, number: int) -> None:
    """Make one Execution that nobody starts, and end it."""
    name, namespace = f"done-{number}", field.world.namespace
    inputs = {"number": number, "text": "a typical input of some length " * 4}
    spec = {"script": "def handler(system, this): pass", "desiredState": "Paused", "inputs": inputs}
    await field.world.cluster.create(EXECUTIONS, namespace, execution(name, spec))
    now = render_time(datetime.now(UTC), exact=True)
    started = {
        "phase": "Starting",
        "flow": "script",
        "attempt": 1,
        "try": 1,
        "startingTime": now,
        "runner": {"pod": name, "podUID": f"00000000-{number}", "node": "node"},
    }
    condition = {"status": "True", "reason": "Succeeded", "lastTransitionTime": now}
    ended = {
        "phase": "Succeeded",
        "reason": "Succeeded",
        "message": "all done",
        "startTime": now,
        "completionTime": now,
        "duration": "0.1s",
        "outputs": {"number": number},
        "conditions": [{"type": kind} | condition for kind in ("Succeeded", "Ended")],
    }
    for status in (started, ended):
        await field.world.cluster.patch(
            EXECUTIONS, namespace, name, {"status": status}, status=True
        )


async def restarted(field: Field) -> None:
    """Start both programs anew, and wait until they are at work."""
    kubectl = field.world.installation.kubectl
    for component in COMPONENTS:
        deployment = (f"deployment/weir-{component}", f"--namespace={NAMESPACE}")
        await kubectl("rollout", "restart", *deployment)
        await kubectl("rollout", "status", *deployment, "--timeout=55s")
    # A run that goes through says that both have read everything and are at work.
    if field.world.history.current(FLOWS, "after") is None:
        await field.given.flow("after", "def handler(system, this): pass")
    await field.execution("after")


async def resident(field: Field, component: Component) -> tuple[float, float]:
    """Return the resident memory of a program, and its peak, in MB."""
    (pod,) = await field.world.installation.pods_of(field.world.cluster, component)
    status = await field.world.installation.kubectl(
        "exec", f"--namespace={NAMESPACE}", pod["metadata"]["name"], "--", "cat", "/proc/1/status"
    )
    found = dict(re.findall(r"(VmRSS|VmHWM):\s+(\d+) kB", status))
    return int(found["VmRSS"]) / 1e3, int(found["VmHWM"]) / 1e3
