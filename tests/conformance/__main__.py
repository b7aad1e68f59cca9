"""Prints the conformance table: each case, and how it ended without a cluster and on one.

    python -m tests.conformance [--local] [WORD…]

With words only cases whose name has one of them. Exits with 1 if any case is not as it must be.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from tests.cluster import providers
from tests.conformance import local, on_cluster
from tests.conformance.cases import Case, load
from tests.conformance.outcomes import Outcome, differences
from weir.cluster.client import Cluster


async def on_the_cluster(kubeconfig: Path, cases: list[Case]) -> list[Outcome | Exception]:
    """Run the cases on the cluster of a kubeconfig."""
    async with await Cluster.connect(kubeconfig=kubeconfig) as cluster:
        return await on_cluster.run_all(cluster, cases)


def locally(case: Case) -> Outcome | Exception:
    """Run a case without a cluster; what kept it from ending stands in place of its end."""
    try:
        return local.run(case)
    except Exception as error:
        return error


def shown(case: Case, seen: Outcome | Exception) -> str:
    """Return how a case ended, and whether that is right, in a few words."""
    if isinstance(seen, Exception):
        return f"✘ {type(seen).__name__}"
    return f"{'✘' if differences(case, seen) else '✔'} {seen.status}"


def troubles(case: Case, where: str, seen: Outcome | Exception) -> list[str]:
    """Return what is wrong with a case, line by line."""
    if isinstance(seen, Exception):
        return [f"{where}: {seen!r}"]
    return [f"{where}: {one}" for one in differences(case, seen)]


def main() -> int:
    """Run the cases and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("words", nargs="*", help="only cases with one of these in their name")
    parser.add_argument("--local", action="store_true", help="without a cluster only")
    arguments = parser.parse_args()
    cases = [
        case
        for case in load()
        if not arguments.words or any(word in case.name for word in arguments.words)
    ]
    here = [locally(case) for case in cases]
    there: list[Outcome | Exception] = []
    if not arguments.local:
        kubeconfig = providers.get(None, force=True).kubeconfig
        there = asyncio.run(on_the_cluster(kubeconfig, cases))
    width = max((len(case.name) for case in cases), default=0)
    print(f"{'case':<{width}}  {'local':<18}  cluster")
    wrong = 0
    for number, case in enumerate(cases):
        found = troubles(case, "local", here[number])
        columns = [f"{shown(case, here[number]):<18}"]
        if there:
            found += troubles(case, "cluster", there[number])
            columns.append(shown(case, there[number]))
            if not found and here[number] != there[number]:
                found.append(f"they differ: {here[number]} and {there[number]}")
        print(f"{case.name:<{width}}  {'  '.join(columns)}".rstrip())
        for line in found:
            print(f"    {line}")
        wrong += bool(found)
    print(f"{len(cases)} cases, {len(cases) - wrong} as they must be, {wrong} not")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
