"""What is printed when a test fails: everything that a person would look at first."""

from __future__ import annotations

import asyncio

from tests.e2e.installation import NAMESPACE
from tests.e2e.world import World
from weir.cluster.kinds import PODS

_LINES = 60
_PODS = 5
# Of operator and server: what they say of this namespace, and every complaint.
_SYSTEM_LINES = 1000


async def report(world: World) -> str:
    """Return executions, Pods, events and logs of the namespace, operator and server."""
    here, system = f"--namespace={world.namespace}", f"--namespace={NAMESPACE}"
    tail, long_tail = f"--tail={_LINES}", f"--tail={_SYSTEM_LINES}"
    pods = [pod["metadata"]["name"] for pod in world.history.all(PODS)][:_PODS]
    questions = {
        "resources": ("get", "executions,flows,connectors", here, "-o=wide"),
        "pods": ("get", "pods", here, "-o=wide"),
        "events": ("get", "events", here, "--sort-by=.lastTimestamp"),
        "system": ("get", "pods,leases", system, "-o=wide"),
        "operator": ("logs", system, "--selector=app.kubernetes.io/component=operator", long_tail),
        "server": ("logs", system, "--selector=app.kubernetes.io/component=server", long_tail),
        **{f"log of {pod}": ("logs", here, pod, tail) for pod in pods},
    }
    answers = await asyncio.gather(
        *(world.installation.kubectl(*question) for question in questions.values()),
        return_exceptions=True,
    )
    told = {title: str(answer) for title, answer in zip(questions, answers, strict=True)}
    for component in ("operator", "server"):
        told[component] = _about(world.namespace, told[component])
    return "\n\n".join(f"--- {title} ---\n{text}" for title, text in told.items())


def _about(namespace: str, log: str) -> str:
    """Return the lines of a log that name the namespace, are no JSON, or complain."""
    return "\n".join(
        line
        for line in log.splitlines()
        if namespace in line or not line.startswith("{") or '"info"' not in line.lower()
    )
