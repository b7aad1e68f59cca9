"""Which cluster a test gets: the providers, by the names that the command line and pytest know."""

from pathlib import Path
from typing import Protocol

from tests.cluster.bare import CHECKOUT, BareCluster
from tests.cluster.current import Current
from tests.cluster.errors import ClusterError
from tests.cluster.kind import Kind, is_docker_running

NAMES = ("bare", "kind", "current")


class Cluster(Protocol):
    """A whole cluster, in which Pods run."""

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""

    def up(self) -> None:
        """Make the cluster run, unless it does."""

    def down(self) -> None:
        """Remove the cluster, if it is ours."""

    def is_healthy(self) -> bool:
        """Tell whether the cluster runs."""

    def load_image(self, archive: Path) -> None:
        """Give the nodes the images of a docker-archive, under the names in it."""


def default() -> str:
    """Choose kind where a Docker engine runs, else bare; never somebody's current cluster."""
    return "kind" if is_docker_running() else "bare"


def get(name: str | None = None, *, force: bool = False) -> Cluster:
    """Return the named provider's cluster, the default one's without a name."""
    match name or default():
        case "bare":
            return BareCluster()
        case "kind":
            return Kind(CHECKOUT)
        case "current":
            return Current(force=force)
        case unknown:
            raise ClusterError(f"no provider {unknown!r}; there are: {', '.join(NAMES)}")
