"""What one leaf Execution costs the API server: writes of ours, from its audit log."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from bench.field import NOTHING, Field
from bench.figures import Report, Sample, Verdict
from tests.e2e.installation import NAMESPACE
from weir.cluster.kinds import EVENTS

_OURS = tuple(
    f"system:serviceaccount:{NAMESPACE}:weir-{component}" for component in ("operator", "server")
)
_WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


async def measure(field: Field, count: int) -> Report | None:
    """Run `count` leaf Executions one after the other and count; None without an audit log."""
    bare = field.world.installation.bare
    if bare is None:
        return None
    await field.given.flow("nothing", NOTHING)
    await field.execution("nothing")  # makes the Flow's revision, once
    before = writes(bare.audit_log, field.world.namespace)
    for _ in range(count):
        await field.execution("nothing")
    made = writes(bare.audit_log, field.world.namespace) - before
    made["create events"] = await _events(field)
    # Written at most every five seconds, however many runs there are.
    summaries = made.pop("patch flows/status", 0)
    samples = [
        Sample(f"of these: {verb}", "writes", (number / count,))
        for verb, number in sorted(made.items())
        if number
    ]
    total = sum(made.values()) / count
    return Report(
        (
            Sample("our API writes per leaf Execution", "writes", (total,)),
            *samples,
            Sample("beside them: patch flows/status", "writes", (summaries / count,)),
        ),
        (Verdict("our API writes per leaf Execution", total, "at most", 5),),
    )


def writes(audit_log: Path, namespace: str) -> Counter[str]:
    """Count what operator and server wrote in a namespace, by verb and resource."""
    found: Counter[str] = Counter()
    with audit_log.open() as lines:
        for line in lines:
            if namespace not in line or not line.endswith("\n"):
                continue
            entry = json.loads(line)
            about = entry.get("objectRef", {})
            ours = entry["user"]["username"] in _OURS and entry["verb"] in _WRITES
            if ours and about.get("namespace") == namespace:
                part = f"/{about['subresource']}" if "subresource" in about else ""
                found[f"{entry['verb']} {about['resource']}{part}"] += 1
    return found


async def _events(field: Field) -> int:
    """Count the Events of ours, which the audit log leaves out."""
    found = await field.world.cluster.list(EVENTS, field.world.namespace)
    return sum(
        "weir" in (one.get("reportingComponent") or one.get("source", {}).get("component") or "")
        for one in found.items
    )
