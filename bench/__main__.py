"""Measure and print: `python -m bench` (by `make bench`, which brings everything up first)."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
from collections.abc import Awaitable, Callable

from bench import burst, cold, hibernation, interpreter, journal, memory, writes
from bench.field import Field, field
from bench.figures import Report, joined, tables
from tests.e2e.installation import Installation
from weir.cluster.client import Cluster

# Each in a namespace of its own, in this order: what fills the cluster comes last.
BENCHMARKS: dict[str, Callable[[Field, argparse.Namespace], Awaitable[Report | None]]] = {
    "start": lambda field, options: interpreter.measure(field, options.rounds),
    "cold": lambda field, options: cold.measure(field, options.rounds),
    "journal": lambda field, options: journal.measure(field, options.rounds),
    "burst": lambda field, options: burst.measure(field, options.at_once, options.bursts),
    "writes": lambda field, options: writes.measure(field, options.rounds),
    "hibernation": lambda field, options: hibernation.measure(field, options.sleeping),
    "memory": lambda field, options: memory.measure(field, options.finished),
}


async def measure(options: argparse.Namespace) -> Report:
    """Run the benchmarks that were asked for."""
    installation = Installation.up()
    reports = []
    async with await Cluster.connect(kubeconfig=installation.kubeconfig) as cluster:
        for name in options.only or BENCHMARKS:
            print(f"bench: {name} ...", file=sys.stderr, flush=True)
            async with field(installation, cluster) as place:
                found = await BENCHMARKS[name](place, options)
            if found is None:
                print(f"bench: {name} needs the provider `bare`; left out", file=sys.stderr)
            else:
                reports.append(found)
    return joined(reports)


def main() -> int:
    """Measure, print, and return 1 when a target is not met."""
    options = _parser().parse_args()
    report = asyncio.run(measure(options))
    if options.json:
        machine = {"machine": platform.machine(), "cores": os.cpu_count()}
        print(json.dumps(machine | report.as_json(), indent=2))
    else:
        print(tables(report))
    return 0 if all(verdict.holds for verdict in report.verdicts) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("only", nargs="*", choices=[*BENCHMARKS, []], help="default: all")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--rounds", type=int, default=12, help="of cold, writes and start (12)")
    parser.add_argument("--at-once", type=int, default=40, help="Executions of a burst (40)")
    parser.add_argument("--bursts", type=int, default=4, help="bursts of each (4)")
    parser.add_argument("--finished", type=int, default=1000, help="Executions for memory (1000)")
    parser.add_argument("--sleeping", type=int, default=1000, help="runs without a Pod (1000)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
