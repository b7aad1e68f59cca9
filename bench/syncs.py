"""A repository of many Flows: how long its first sync takes, and one that finds nothing new.

    .venv/bin/python -m bench.syncs          # 1,000 Flows, about a minute

It needs no cluster: an API server with etcd and the operator are started for it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from bench.figures import Report, Sample, Verdict, tables
from tests.builders import HANDLER
from tests.cluster.apiserver import ApiServer
from tests.integration.conftest import install_crds
from tests.integration.connectors.git_repository import Repository
from tests.integration.operator.processes import OperatorProcess
from weir.api import names
from weir.api.resource import JsonObject
from weir.cluster.client import Cluster
from weir.cluster.kinds import FLOW_REPOSITORIES, FLOWS, NAMESPACES

_NAMESPACE = "bench"
_NAME = "many"
_QUIET = 20.0  # seconds of an interval of 2 s, for counting writes
_SETTLING = 3.0
_WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
_AT_ONCE = 16


async def measure(count: int, rounds: int) -> Report:
    """Sync a repository of `count` Flows, then `rounds` times again."""
    with tempfile.TemporaryDirectory() as folder, ApiServer() as server:
        git = Repository(Path(folder) / "flows")
        git.commit("All", {f"team-{n % 10}/flow-{n}.py": _script(n) for n in range(count)})
        async with await Cluster.connect(kubeconfig=server.kubeconfig) as cluster:
            await install_crds(cluster)
            await cluster.create(NAMESPACES, None, {"metadata": {"name": _NAMESPACE}})
            bare = await _bare(cluster, count)
            operator = OperatorProcess(
                kubeconfig=server.kubeconfig,
                log=Path(folder) / "operator.log",
                WEIR_NAMESPACE=_NAMESPACE,
                WEIR_REPOSITORY_FOLDER=str(Path(folder) / "clones"),
                WEIR_REPOSITORY_ALLOW_LOCAL="true",
            )
            async with operator:
                return await _measured(cluster, server, git, count, rounds, bare)


async def _measured(
    cluster: Cluster, server: ApiServer, git: Repository, count: int, rounds: int, bare: float
) -> Report:
    body: JsonObject = {
        "apiVersion": names.API_VERSION,
        "kind": "FlowRepository",
        "metadata": {"name": _NAME},
        "spec": {"url": git.url, "interval": "1h"},
    }
    began = time.monotonic()
    await cluster.create(FLOW_REPOSITORIES, _NAMESPACE, body)
    await _until(cluster, lambda status: status.get("flows") == count)
    first = time.monotonic() - began
    await _all_ready(cluster, count)
    ready = time.monotonic() - began
    again = []
    for number in range(rounds):
        began = time.monotonic()
        await _ask(cluster, str(number))
        again.append(time.monotonic() - began)
    await cluster.patch(FLOW_REPOSITORIES, _NAMESPACE, _NAME, {"spec": {"interval": "2s"}})
    await _ask(cluster, "quiet")
    await asyncio.sleep(_SETTLING)  # what was answered is in the audit log by now
    offset = server.audit_log.stat().st_size
    await asyncio.sleep(_QUIET)
    writes = _writes(server.audit_log, offset)
    middle = sorted(again)[len(again) // 2]
    return Report(
        (
            Sample(f"{count} Flows: created → Synced", "s", (first,)),
            Sample(f"{count} Flows: created → all Ready", "s", (ready,)),
            Sample(f"{count} Flows applied by a bare client", "s", (bare,)),
            Sample("asked → answered, nothing new", "s", tuple(again)),
        ),
        (
            Verdict(f"{count} Flows: created → Synced, s", first, "at most", 30 * count / 1000),
            Verdict("asked → answered, nothing new, s", middle, "at most", 2),
            Verdict("nothing new / first sync", middle / first, "at most", 0.1),
            Verdict("first sync / bare client", first / bare, "at most", 8),
            Verdict(f"API writes in {_QUIET:.0f} s of nothing new", writes.total(), "at most", 0),
        ),
    )


async def _bare(cluster: Cluster, count: int) -> float:
    """Apply as many Flows with nothing that looks at them, and delete them."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def apply(number: int) -> None:
        body = {
            "apiVersion": names.API_VERSION,
            "kind": "Flow",
            "metadata": {"name": f"bare-{number}"},
            "spec": {"script": _script(number)},
        }
        async with places:
            await cluster.apply(FLOWS, _NAMESPACE, f"bare-{number}", body, manager="bench")

    async def delete(number: int) -> None:
        async with places:
            await cluster.delete(FLOWS, _NAMESPACE, f"bare-{number}")

    began = time.monotonic()
    await asyncio.gather(*(apply(number) for number in range(count)))
    seconds = time.monotonic() - began
    await asyncio.gather(*(delete(number) for number in range(count)))
    return seconds


async def _ask(cluster: Cluster, value: str) -> None:
    body: JsonObject = {"metadata": {"annotations": {names.SYNC_REQUESTED: value}}}
    await cluster.patch(FLOW_REPOSITORIES, _NAMESPACE, _NAME, body)
    await _until(cluster, lambda status: status.get("lastHandledRequest") == value)


async def _until(cluster: Cluster, holds: Callable[[JsonObject], bool]) -> None:
    async for change in cluster.watch(
        FLOW_REPOSITORIES, _NAMESPACE, fields=f"metadata.name={_NAME}"
    ):
        if change.object and holds(change.object.get("status") or {}):
            return


async def _all_ready(cluster: Cluster, count: int) -> None:
    ready: set[str] = set()
    async for change in cluster.watch(FLOWS, _NAMESPACE):
        status = (change.object or {}).get("status") or {}
        if any(one["status"] == "True" for one in status.get("conditions", [])):
            ready.add(change.object["metadata"]["name"])
        if len(ready) == count:
            return


def _writes(audit_log: Path, offset: int) -> Counter[str]:
    """Count what was written of anything but Leases, by verb and resource."""
    found: Counter[str] = Counter()
    with audit_log.open() as lines:
        lines.seek(offset)
        for line in lines:
            if not line.endswith("\n"):
                continue
            entry = json.loads(line)
            about = entry.get("objectRef", {})
            if entry["verb"] in _WRITES and about.get("resource") != "leases":
                found[f"{entry['verb']} {about.get('resource')}"] += 1
    return found


def _script(number: int) -> str:
    return f'"""Flow number {number}."""\n\nimport flow_api\n\n\n{HANDLER}' + "# words\n" * 60


def main() -> int:
    """Measure, print, and return 1 when a target is not met."""
    parser = argparse.ArgumentParser(prog="python -m bench.syncs", description=__doc__)
    parser.add_argument("--flows", type=int, default=1000, help="of the repository (1000)")
    parser.add_argument("--rounds", type=int, default=7, help="syncs that find nothing new (7)")
    options = parser.parse_args()
    report = asyncio.run(measure(options.flows, options.rounds))
    print(tables(report))
    return 0 if all(verdict.holds for verdict in report.verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
