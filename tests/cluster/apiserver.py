"""An API server with its etcd and nothing else: the cluster of the integration tests.

Objects are stored, admitted, watched and authorized as in any cluster; no Pod ever runs. It needs
no root, listens on 127.0.0.1 at free ports, and several may run at the same time.
"""

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.cluster import processes, readiness
from tests.cluster.api import Api
from tests.cluster.controlplane import ControlPlane, Ports
from tests.cluster.errors import ClusterError

START_TIMEOUT = 60.0  # a cold page cache and two busy cores included; usually 3 to 5 s
STOP_GRACE = 2.0  # it waits for its open watches much longer, and clients see the same in the end
_PREFIX = "weir-apiserver-"
_PORT_TAKEN = "address already in use"
# Those whose work an object's life depends on, and none that acts on Pods or nodes.
_CONTROLLERS = ",".join(
    (
        "clusterrole-aggregation-controller",  # without it `admin`, `edit` and `view` are empty
        "garbage-collector-controller",
        "namespace-controller",
        "resourcequota-controller",
        "root-ca-certificate-publisher-controller",
        "serviceaccount-controller",
        "serviceaccount-token-controller",
    )
)


class ApiServer:
    """A kube-apiserver and its etcd, with temporary data.

    Without `controllers`, deleted namespaces stay Terminating, owners do not take their children
    along, and a Pod's ServiceAccount need not exist.
    """

    def __init__(self, *, controllers: bool = False) -> None:
        self._controllers = controllers
        self._folder: Path | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The API server's address."""
        return self._plane.server

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self._plane.kubeconfig

    @property
    def audit_log(self) -> Path:
        """Who wrote what, one JSON object a line, complete when the request is answered."""
        return self._plane.audit_log

    @property
    def logs(self) -> Path:
        """The folder of the programs' logs."""
        return self._plane.logs

    def kubeconfig_for(self, user: str, groups: Sequence[str] = ()) -> Path:
        """Return a kubeconfig for the user, who may do what RBAC grants to them and the groups."""
        return self._plane.kubeconfig_for(user, groups)

    def start(self) -> None:
        """Start, and return when it serves and the namespace `default` exists."""
        if self._folder is not None:
            raise ClusterError("this API server was started already")
        _clear_orphans()
        try:
            self._start()
        except ClusterError as error:
            self.stop()
            if _PORT_TAKEN not in str(error):
                raise
            self._start()  # somebody took a port between our choosing it and listening at it
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Kill the programs and delete their data."""
        if self._folder is not None:
            self._processes.kill_all()
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def restart_apiserver(self) -> None:
        """Stop and start the API server; etcd, and with it every object, stays."""
        self._processes.stop("kube-apiserver", STOP_GRACE)
        self._processes.start(self._plane.apiserver())
        self._wait_for_apiserver()

    def _start(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._plane = ControlPlane(
            folder=self._folder,
            logs=self._folder / "logs",
            ports=Ports.free(),
            admit_service_accounts=self._controllers,
            controllers=_CONTROLLERS,
        )
        starter = processes.identity(os.getpid())
        self._processes = processes.Processes(self._folder, starter)
        self._plane.prepare()
        etcd = self._plane.etcd()
        self._processes.start(etcd)
        readiness.wait_until(
            lambda: readiness.listens(self._plane.ports.etcd),
            what="etcd",
            timeout=START_TIMEOUT,
            processes=self._processes,
            needed=[etcd],
        )
        self._processes.start(self._plane.apiserver())
        self._wait_for_apiserver()
        if self._controllers:
            self._start_controllers()

    def _wait_for_apiserver(self) -> None:
        api = Api(self.kubeconfig)
        readiness.wait_until(
            lambda: api.is_ready() and api.exists("/api/v1/namespaces/default"),
            what="the API server",
            timeout=START_TIMEOUT,
            processes=self._processes,
            needed=[self._plane.etcd(), self._plane.apiserver()],
        )

    def _start_controllers(self) -> None:
        api = Api(self.kubeconfig)
        controllers = self._plane.controller_manager()
        self._processes.start(controllers)
        readiness.wait_until(
            lambda: api.exists("/api/v1/namespaces/default/serviceaccounts/default"),
            what="the ServiceAccount `default`",
            timeout=START_TIMEOUT,
            processes=self._processes,
            needed=[controllers],
        )


def _clear_orphans() -> None:
    """Kill the API servers of test runs that were killed themselves."""
    for process in list(processes.running()):
        orphaned = process.starter is not None and not processes.is_alive(process.starter)
        if orphaned and Path(process.owner).name.startswith(_PREFIX):
            processes.kill([process.pid])
            shutil.rmtree(process.owner, ignore_errors=True)
