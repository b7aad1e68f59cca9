"""An operator and a namespace of each test's own; the tests play kubelet and server."""

import itertools
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.apiserver import ApiServer
from tests.integration.conftest import install_crds
from tests.integration.operator.processes import OperatorProcess, OperatorThread
from tests.integration.operator.world import World
from tests.ports import free_port
from weir.cluster.client import Cluster
from weir.cluster.kinds import NAMESPACES, Kind
from weir.controllers.settings import Settings

MakeOperator = Callable[..., OperatorProcess]
StartOperator = Callable[..., OperatorThread]


@pytest.fixture
def world(cluster: Cluster, namespace: str) -> World:
    return World(cluster, namespace)


@pytest.fixture
def make_operator(api_server: ApiServer, namespace: str, tmp_path: Path) -> Iterator[MakeOperator]:
    """Make operators of this namespace; those that still run are killed in the end."""
    made: list[OperatorProcess] = []
    numbers = itertools.count(1)

    def make(kubeconfig: Path | None = None, **variables: str) -> OperatorProcess:
        number = next(numbers)
        scope = {
            "WEIR_NAMESPACE": namespace,
            "WEIR_WATCH_NAMESPACES": namespace,
            "WEIR_REPOSITORY_FOLDER": str(tmp_path / "clones"),
            "WEIR_REPOSITORY_ALLOW_LOCAL": "true",
        }
        operator = OperatorProcess(
            kubeconfig=kubeconfig or api_server.kubeconfig,
            log=tmp_path / f"operator-{number}.log",
            identity=f"operator-{number}",
            **(scope | variables),
        )
        made.append(operator)
        return operator

    yield make
    for operator in made:
        operator.kill()


@pytest.fixture
def start_operator(
    api_server: ApiServer, namespace: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> StartOperator:
    """Return what makes an operator of this namespace within the test."""
    monkeypatch.setenv("KUBECONFIG", str(api_server.kubeconfig))

    def start(**fields: Any) -> OperatorThread:
        chosen = {
            "namespace": namespace,
            "watch_namespaces": [namespace],
            "server_address": "10.0.0.1:8443",
            "health_port": free_port(),
            "identity": "within",
            "repository_folder": tmp_path / "clones",
            "repository_allow_local": True,
        }
        return OperatorThread(Settings.model_validate(chosen | fields), api_server.kubeconfig)

    return start


@pytest.fixture
async def operator(start_operator: StartOperator) -> AsyncIterator[OperatorThread]:
    """An operator that runs."""
    async with start_operator() as running:
        yield running


@pytest.fixture(scope="session")
def controlled_api_server() -> Iterator[ApiServer]:
    """An API server with the controllers of namespaces, quotas and garbage."""
    with ApiServer(controllers=True) as server:
        yield server


@pytest.fixture
async def controlled(controlled_api_server: ApiServer) -> AsyncIterator[Cluster]:
    """A client of the API server that has controllers."""
    async with await Cluster.connect(kubeconfig=controlled_api_server.kubeconfig) as cluster:
        await install_crds(cluster)
        yield cluster


@pytest.fixture
async def controlled_world(controlled: Cluster) -> World:
    """A namespace of that API server."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    await controlled.create(NAMESPACES, None, {"metadata": {"name": name}})
    world = World(controlled, name)
    await world.until(
        Kind("", "v1", "serviceaccounts"), "default", lambda account: True
    )  # or else no Pod is admitted
    return world
