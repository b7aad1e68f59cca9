"""The conformance suite on a cluster, and whether runs without one end alike."""

from __future__ import annotations

import asyncio

import pytest

from tests.conformance import local, on_cluster
from tests.conformance.cases import load
from tests.conformance.outcomes import Outcome, differences
from weir.cluster.client import Cluster

pytestmark = pytest.mark.slow


async def test_every_case_ends_on_a_cluster_as_it_does_without_one(cluster: Cluster) -> None:
    cases = load()
    found = await on_cluster.run_all(cluster, cases)
    wrong: list[str] = []
    for case, seen in zip(cases, found, strict=True):
        if not isinstance(seen, Outcome):
            wrong.append(f"{case.name}: {seen!r}")
            continue
        wrong += (f"{case.name}: {one}" for one in differences(case, seen))
        here = await asyncio.to_thread(local.run, case)
        if here != seen:
            wrong.append(f"{case.name}: {here} without a cluster, {seen} on one")
    assert wrong == []
