"""Fixtures of the integration tier:

a real API server and etcd, Weir's CRDs in it, a namespace for each test.
"""

import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import yaml

from tests.cluster.apiserver import ApiServer
from weir.cluster.client import Cluster
from weir.cluster.errors import NotFound, Unavailable
from weir.cluster.kinds import CUSTOM_RESOURCE_DEFINITIONS, FLOWS, NAMESPACES

CRDS = Path(__file__).parents[2] / "crds"


@pytest.fixture(scope="session")
def api_server() -> Iterator[ApiServer]:
    """One API server with etcd for the whole session; it has Weir's CRDs."""
    with ApiServer() as server:
        yield server


@pytest.fixture
async def cluster(api_server: ApiServer) -> AsyncIterator[Cluster]:
    """A client with all rights. The CRDs are there and served."""
    async with await Cluster.connect(kubeconfig=api_server.kubeconfig) as cluster:
        await install_crds(cluster)
        yield cluster


@pytest.fixture
async def namespace(cluster: Cluster) -> str:
    """A namespace of the test's own."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    await cluster.create(NAMESPACES, None, {"metadata": {"name": name}})
    return name


async def install_crds(cluster: Cluster) -> None:
    """Create the CRDs that are missing, and wait until all are served."""
    for file in sorted(CRDS.glob("*.yaml")):
        crd = yaml.safe_load(file.read_text())
        try:
            await cluster.get(CUSTOM_RESOURCE_DEFINITIONS, None, crd["metadata"]["name"])
        except NotFound:
            await cluster.create(CUSTOM_RESOURCE_DEFINITIONS, None, crd)
            await _served(cluster, crd["metadata"]["name"])


async def _served(cluster: Cluster, name: str) -> None:
    async for change in cluster.watch(CUSTOM_RESOURCE_DEFINITIONS, fields=f"metadata.name={name}"):
        conditions = change.object.get("status", {}).get("conditions") or []
        if any(one["type"] == "Established" and one["status"] == "True" for one in conditions):
            break
    while True:  # Established comes a moment before the path is served
        try:
            await cluster.raw("GET", f"/apis/{FLOWS.group}/{FLOWS.version}/{name.split('.')[0]}")
        except (NotFound, Unavailable):
            continue
        return
