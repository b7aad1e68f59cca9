"""A cluster in Docker containers, through pytest-kind, where a Docker engine answers.

Never tried: no Docker engine ran where the rest of this package was written. All that was seen is
that it says so.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cluster.api import Api
from tests.cluster.errors import ClusterError

if TYPE_CHECKING:
    from pytest_kind import KindCluster

NAME = "weir"
# pytest-kind's own default is of 2022, whose Kubernetes is too old for the rules in our CRDs.
_KIND_VERSION = "v0.30.0"
_DOCKER_TIMEOUT = 10.0  # seconds for `docker info`, which waits long for an engine that hangs


class Kind:
    """The kind cluster `weir`, whose kubeconfig is in the checkout's `.cluster/kind`."""

    def __init__(self, checkout: Path) -> None:
        self.kubeconfig = checkout.resolve() / ".cluster" / "kind" / "kubeconfig"

    def up(self) -> None:
        """Create the cluster, unless it exists."""
        self.kubeconfig.parent.mkdir(parents=True, exist_ok=True)
        self._cluster().create()

    def down(self) -> None:
        """Delete the cluster."""
        self._cluster().delete()
        shutil.rmtree(self.kubeconfig.parent, ignore_errors=True)

    def is_healthy(self) -> bool:
        """Tell whether the API server serves."""
        return self.kubeconfig.exists() and Api(self.kubeconfig).is_ready()

    def load_image(self, archive: Path) -> None:
        """Give the nodes the images of a docker-archive, under the names in it."""
        cluster = self._cluster()
        cluster.ensure_kind()
        command = [str(cluster.kind_path), "load", "image-archive", "--name", NAME, str(archive)]
        if subprocess.run(command, check=False).returncode:
            raise ClusterError(f"kind cannot load {archive}")

    def _cluster(self) -> "KindCluster":
        if not is_docker_running():
            raise ClusterError(
                "no Docker engine answers (`docker info`), and kind needs one;"
                " use `--provider bare`, which needs Debian and root instead"
            )
        os.environ.setdefault("KIND_VERSION", _KIND_VERSION)  # read when it is imported
        try:
            from pytest_kind import KindCluster
        except ImportError as error:
            raise ClusterError("the kind provider needs the package pytest-kind") from error
        installed = shutil.which("kind")
        return KindCluster(NAME, self.kubeconfig, kind_path=Path(installed) if installed else None)


def is_docker_running() -> bool:
    """Tell whether a Docker engine answers; the client alone is on many machines."""
    docker = shutil.which("docker")
    if docker is None:
        return False
    try:
        asked = subprocess.run(
            [docker, "info"], capture_output=True, timeout=_DOCKER_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return asked.returncode == 0
