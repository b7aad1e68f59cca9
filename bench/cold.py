"""How long one run takes from nothing, and a child call; bare Pods in turn with both."""

from __future__ import annotations

from bench.field import NOTHING, Field
from bench.figures import Report, Sample, Verdict, ratio

# The parent has a Pod already: what it waits for is its child's creation, Pod, run and report.
CALLS = """
import time

def handler(system, this):
    began = time.perf_counter()
    this.flow('nothing')
    return {'seconds': time.perf_counter() - began}
"""


async def measure(field: Field, rounds: int) -> Report:
    """Measure `rounds` bare Pods, runs and child calls in turn; the first round warms up."""
    await field.given.flow("nothing", NOTHING)
    await field.given.flow("calls", CALLS)
    pods: list[float] = []
    runs: list[float] = []
    calls: list[float] = []
    for _ in range(rounds + 1):
        pods.append(await field.bare_pod())
        seconds, _run = await field.execution("nothing")
        runs.append(seconds)
        _, parent = await field.execution("calls")
        calls.append(parent.status["outputs"]["seconds"])
    pod = Sample("bare Pod: created -> phase Succeeded", "s", tuple(pods[1:]))
    run = Sample("Execution: created -> Succeeded", "s", tuple(runs[1:]))
    call = Sample("child call and return, in the parent", "s", tuple(calls[1:]))
    return Report(
        (pod, run, call),
        (
            Verdict("cold run / bare Pod", ratio(run, pod), "at most", 0.45),
            Verdict("cold child call and return / bare Pod", ratio(call, pod), "at most", 0.45),
        ),
    )
