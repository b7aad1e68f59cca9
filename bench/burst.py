"""Forty at once: the rate of Executions against the rate of bare Pods."""

from __future__ import annotations

import asyncio
import time

from bench.field import NOTHING, Field
from bench.figures import Report, Sample, Verdict, ratio


async def measure(field: Field, count: int, rounds: int) -> Report:
    """Start `count` of each at once, in turn, `rounds` times; a rate is count / seconds."""
    await field.given.flow("nothing", NOTHING)
    pods: list[float] = []
    runs: list[float] = []
    for number in range(rounds):
        # Each is first as often as the other: what comes second finds a busier node.
        if number % 2:
            runs.append(await _executions(field, count))
            pods.append(await _pods(field, count))
        else:
            pods.append(await _pods(field, count))
            runs.append(await _executions(field, count))
    pod = Sample(f"{count} bare Pods at once", "per s", tuple(pods))
    run = Sample(f"{count} Executions at once", "per s", tuple(runs))
    verdict = Verdict(f"{count} at once, rate / bare Pods' rate", ratio(run, pod), "at least", 0.95)
    return Report((pod, run), (verdict,))


async def _pods(field: Field, count: int) -> float:
    await field.no_pods()
    began = time.monotonic()
    begun = await asyncio.gather(*(field.begin_bare_pod() for _ in range(count)))
    ends = await asyncio.gather(*(field.pod_ended(name) for name, _ in begun))
    await asyncio.gather(*(field.pod_deleted(name) for name, _ in begun))
    return count / (max(ends) - began)


async def _executions(field: Field, count: int) -> float:
    await field.no_pods()
    began = time.monotonic()
    runs = await asyncio.gather(*(field.when.executed("nothing") for _ in range(count)))
    ends = await asyncio.gather(*(field.run_ended(run) for run in runs))
    await field.no_pods()
    return count / (max(ends) - began)
