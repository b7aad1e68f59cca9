"""Fixtures of the end-to-end tier: a cluster with Weir, a namespace for each test, and the words
given, when, then.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Generator
from typing import Any

import pytest

from tests.e2e import diagnosis
from tests.e2e.given import Given
from tests.e2e.history import History
from tests.e2e.installation import Installation
from tests.e2e.then import Then
from tests.e2e.when import When
from tests.e2e.world import World
from weir.cluster.client import Cluster
from weir.cluster.errors import ClusterError
from weir.cluster.kinds import NAMESPACES, Kind

SERVICE_ACCOUNTS = Kind("", "v1", "serviceaccounts")

_FAILED = pytest.StashKey[bool]()


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marks of this tier."""
    config.addinivalue_line(
        "markers", "slow: takes longer than 20 s; leave out with -m 'not slow' while developing"
    )
    config.addinivalue_line(
        "markers",
        "own_node: stops programs of the node or adds users; provider `bare` only",
    )


@pytest.fixture(autouse=True)
def _own_node(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("own_node"):
        installation: Installation = request.getfixturevalue("installation")
        if installation.bare is None:
            pytest.skip("needs a node of its own (PROVIDER=bare): stops its programs or adds users")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Remember whether the test itself failed, for the fixture that then reports."""
    outcome = yield
    if outcome.when == "call":
        item.stash[_FAILED] = outcome.failed
    return outcome


@pytest.fixture(scope="session")
def installation() -> Installation:
    """A cluster with Weir, by `make up`. It is left running."""
    return Installation.up()


@pytest.fixture
async def cluster(installation: Installation) -> AsyncIterator[Cluster]:
    """A client with all rights."""
    async with await Cluster.connect(kubeconfig=installation.kubeconfig) as cluster:
        yield cluster


@pytest.fixture
async def namespace(cluster: Cluster) -> AsyncIterator[str]:
    """A namespace of the test's own, in which Pods can be made."""
    name = f"e2e-{uuid.uuid4().hex[:8]}"
    await cluster.create(NAMESPACES, None, {"metadata": {"name": name}})
    async for change in cluster.watch(SERVICE_ACCOUNTS, name, fields="metadata.name=default"):
        if change.object:
            break
    yield name
    await cluster.delete(NAMESPACES, None, name)


@pytest.fixture
async def world(
    installation: Installation, cluster: Cluster, namespace: str, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    """The namespace under watch. What must never be seen in it fails the test at its end."""
    async with History(cluster, namespace) as history:
        world = World(cluster, namespace, history, installation)
        began = time.monotonic()
        yield world
        if request.node.stash.get(_FAILED, False):
            print(f"\nfailed after {time.monotonic() - began:.1f} s")
            try:
                print(await diagnosis.report(world))
            except (ClusterError, AssertionError, OSError) as error:
                print(f"no report: {error!r}")
        assert not history.violations()


@pytest.fixture
def given(world: World) -> Given:
    """What is there before."""
    return Given(world)


@pytest.fixture
def when(world: World) -> When:
    """What happens."""
    return When(world)


@pytest.fixture
def then(world: World) -> Then:
    """What must come about."""
    return Then(world)
