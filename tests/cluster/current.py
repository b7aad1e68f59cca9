"""A cluster that somebody else runs: the one of $KUBECONFIG. Only used when asked for by name."""

import os
import subprocess
from pathlib import Path

from tests.cluster import binaries
from tests.cluster.errors import ClusterError

_NAMESPACE = "weir-system"
_GROUP = "weir.dev"


class Current:
    """The cluster of $KUBECONFIG, refused when Weir is installed in it, unless forced."""

    def __init__(self, *, force: bool = False) -> None:
        self._force = force

    @property
    def kubeconfig(self) -> Path:
        """The one file that $KUBECONFIG names."""
        named = os.environ.get("KUBECONFIG", "")
        # No default: to run tests in the cluster that happens to be in ~/.kube/config is a mishap.
        if not named or not Path(named).is_file():
            raise ClusterError("the provider `current` needs $KUBECONFIG to name a file")
        return Path(named).resolve()

    def up(self) -> None:
        """Check that the cluster answers, and that the tests would break nothing in it."""
        self._kubectl("get", "--raw", "/readyz")
        if self._force:
            return
        namespace = self._kubectl("get", "namespace", _NAMESPACE, "--ignore-not-found", "-o=name")
        if namespace.strip():
            self._refuse(f"the namespace {_NAMESPACE}")
        for name in self._kubectl("get", "customresourcedefinitions", "-o=name").split():
            if name.endswith(f".{_GROUP}"):
                self._refuse(name)

    def down(self) -> None:
        """Leave the cluster as it is: it is not ours."""

    def is_healthy(self) -> bool:
        """Tell whether the API server serves."""
        try:
            self._kubectl("get", "--raw", "/readyz")
        except ClusterError:
            return False
        return True

    def load_image(self, archive: Path) -> None:
        """Refuse: how images get to the nodes of somebody else's cluster is not known here."""
        raise ClusterError(
            f"cannot load {archive} into the current cluster; push its images to a registry"
            " that the cluster pulls from"
        )

    def _refuse(self, found: str) -> None:
        raise ClusterError(
            f"the cluster of {self.kubeconfig} has {found}: the tests would change a Weir that is"
            " in use; name another cluster, or say --force"
        )

    def _kubectl(self, *arguments: str) -> str:
        command = [str(binaries.path("kubectl")), "--kubeconfig", str(self.kubeconfig)]
        done = subprocess.run(
            [*command, *arguments, "--request-timeout=20s"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ClusterError(f"`kubectl {' '.join(arguments)}` failed: {done.stderr.strip()}")
        return done.stdout
