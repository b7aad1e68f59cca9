"""The programs of a control plane, their files and their flags. It starts nothing.

`apiserver` runs the first two or three of them for one test, `bare` all of them for a whole node.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.cluster import binaries, certificates
from tests.cluster.processes import Program
from tests.ports import free_ports

SERVICES = "10.96.0.0/16"
API_SERVICE = "10.96.0.1"  # the first address of SERVICES is the API server's, by convention
ISSUER = "https://kubernetes.default.svc"

_WRITES = ["create", "update", "patch", "delete", "deletecollection"]
# Who wrote what, for the tests that forbid a component to write; nothing that goes on by itself,
# such as the heartbeats of nodes and leader elections, which would only cost time.
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {
            "level": "Metadata",
            "verbs": _WRITES,
            "resources": [
                {"group": "weir.dev"},
                {"group": "batch"},
                {"group": "apps"},
                {"group": "rbac.authorization.k8s.io"},
                {"group": "apiextensions.k8s.io", "resources": ["customresourcedefinitions"]},
                {
                    "group": "",
                    "resources": [
                        "pods",
                        "pods/binding",
                        "pods/eviction",
                        "pods/ephemeralcontainers",
                        "pods/exec",
                        "configmaps",
                        "namespaces",
                        "persistentvolumeclaims",
                        "secrets",
                        "serviceaccounts",
                        "serviceaccounts/token",
                        "services",
                    ],
                },
            ],
        },
        {"level": "None"},
    ],
}


@dataclass(frozen=True)
class Ports:
    """Where the programs listen."""

    apiserver: int = 6443
    etcd: int = 2379
    etcd_peers: int = 2380
    controller_manager: int = 10257
    scheduler: int = 10259

    @classmethod
    def free(cls) -> "Ports":
        """Choose ports that nobody listens at now."""
        return cls(*free_ports(5))


@dataclass(frozen=True)
class ControlPlane:
    """A control plane whose files are in `folder` and whose logs are in `logs`."""

    folder: Path
    logs: Path
    ports: Ports = field(default_factory=Ports)
    bind: str = "127.0.0.1"
    advertise: str = "127.0.0.1"
    hosts: Sequence[str] = ()
    # Where no controller makes the ServiceAccount `default`, its admission refuses every Pod.
    admit_service_accounts: bool = True
    controllers: str = "*"

    @property
    def server(self) -> str:
        """The address for clients on this machine."""
        return f"https://127.0.0.1:{self.ports.apiserver}"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.folder / "kubeconfig"

    @property
    def audit_log(self) -> Path:
        """Who wrote what, one JSON object a line."""
        return self.logs / "audit.log"

    @property
    def authority(self) -> certificates.Authority:
        """Who signs the certificates of every server and user of the cluster."""
        return certificates.Authority(self._pki, "ca")

    @property
    def _pki(self) -> Path:
        return self.folder / "pki"

    def prepare(self) -> None:
        """Write every certificate, kubeconfig and configuration."""
        self.logs.mkdir(parents=True, exist_ok=True)
        authority = self.authority
        hosts = [
            *("127.0.0.1", "localhost", API_SERVICE, "kubernetes", "kubernetes.default"),
            *("kubernetes.default.svc", "kubernetes.default.svc.cluster.local"),
            *self.hosts,
        ]
        server = authority.issue("kube-apiserver", hosts=hosts)
        certificates.write_pair(server, self._pki, "apiserver")
        kubelets = authority.issue("kube-apiserver-kubelet-client", ["system:masters"])
        certificates.write_pair(kubelets, self._pki, "apiserver-kubelet-client")
        front_proxy = certificates.Authority(self._pki, "front-proxy-ca")
        certificates.write_pair(
            front_proxy.issue("front-proxy-client"), self._pki, "front-proxy-client"
        )
        certificates.write_signing_key(self._pki / "sa.key", self._pki / "sa.pub")
        certificates.write_secret(
            self.folder / "audit-policy.yaml", yaml.safe_dump(AUDIT_POLICY).encode()
        )
        scheduler_config = {
            "apiVersion": "kubescheduler.config.k8s.io/v1",
            "kind": "KubeSchedulerConfiguration",
            "leaderElection": {"leaderElect": False},
            "clientConnection": {
                "kubeconfig": str(self.kubeconfig_for("system:kube-scheduler")),
                "qps": 400,
                "burst": 800,
            },
        }
        certificates.write_secret(
            self.folder / "scheduler.yaml", yaml.safe_dump(scheduler_config).encode()
        )
        self.kubeconfig_for("system:kube-controller-manager")
        admin = authority.issue("kubernetes-admin", ["system:masters"])
        certificates.write_kubeconfig(self.kubeconfig, self.server, authority, admin)

    def kubeconfig_for(self, user: str, groups: Sequence[str] = ()) -> Path:
        """Return a kubeconfig for the user, made at the first call."""
        # No colon: clients take a path with one for a list of paths.
        name = "+".join([user, *groups]).replace("/", "_").replace(":", "_")
        file = self.folder / "users" / f"{name}.kubeconfig"
        if not file.exists():
            pair = self.authority.issue(user, groups)
            certificates.write_kubeconfig(file, self.server, self.authority, pair)
        return file

    def etcd(self) -> Program:
        """Where everything is stored."""
        url = f"http://127.0.0.1:{self.ports.etcd}"
        peers = f"http://127.0.0.1:{self.ports.etcd_peers}"
        return self._program(
            "etcd",
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={url}",
            f"--advertise-client-urls={url}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
            "--unsafe-no-fsync",  # the data need not survive a crash of the machine
            "--log-level=warn",
        )

    def apiserver(self) -> Program:
        """The API server, with the authorizers and the aggregation layer of a kubeadm cluster."""
        pki = self._pki
        disabled = (
            () if self.admit_service_accounts else ("--disable-admission-plugins=ServiceAccount",)
        )
        return self._program(
            "kube-apiserver",
            f"--etcd-servers=http://127.0.0.1:{self.ports.etcd}",
            f"--bind-address={self.bind}",
            f"--secure-port={self.ports.apiserver}",
            f"--advertise-address={self.advertise}",
            f"--tls-cert-file={pki / 'apiserver.crt'}",
            f"--tls-private-key-file={pki / 'apiserver.key'}",
            f"--client-ca-file={pki / 'ca.crt'}",
            f"--kubelet-certificate-authority={pki / 'ca.crt'}",
            f"--kubelet-client-certificate={pki / 'apiserver-kubelet-client.crt'}",
            f"--kubelet-client-key={pki / 'apiserver-kubelet-client.key'}",
            "--kubelet-preferred-address-types=InternalIP",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            *disabled,
            "--allow-privileged=true",
            f"--service-cluster-ip-range={SERVICES}",
            f"--service-account-issuer={ISSUER}",
            f"--service-account-key-file={pki / 'sa.pub'}",
            f"--service-account-signing-key-file={pki / 'sa.key'}",
            f"--requestheader-client-ca-file={pki / 'front-proxy-ca.crt'}",
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-username-headers=X-Remote-User",
            f"--proxy-client-cert-file={pki / 'front-proxy-client.crt'}",
            f"--proxy-client-key-file={pki / 'front-proxy-client.key'}",
            f"--audit-policy-file={self.folder / 'audit-policy.yaml'}",
            f"--audit-log-path={self.audit_log}",
            "--audit-log-maxsize=500",  # megabytes; a test that reads the log wants all of it
            "--audit-log-maxbackup=1",
            "--profiling=false",
        )

    def controller_manager(self) -> Program:
        """The controllers: namespaces, garbage collection, ServiceAccounts and the rest."""
        pki = self._pki
        kubeconfig = self.kubeconfig_for("system:kube-controller-manager")
        return self._program(
            "kube-controller-manager",
            f"--kubeconfig={kubeconfig}",
            f"--authentication-kubeconfig={kubeconfig}",
            f"--authorization-kubeconfig={kubeconfig}",
            f"--controllers={self.controllers}",
            f"--root-ca-file={pki / 'ca.crt'}",
            f"--service-account-private-key-file={pki / 'sa.key'}",
            f"--cluster-signing-cert-file={pki / 'ca.crt'}",
            f"--cluster-signing-key-file={pki / 'ca.key'}",
            # RBAC grants each controller its own rights, and the manager itself hardly any.
            "--use-service-account-credentials=true",
            "--bind-address=127.0.0.1",
            f"--secure-port={self.ports.controller_manager}",
            "--leader-elect=false",  # it is alone, and to wait for a killed one's lease is slow
            "--kube-api-qps=400",
            "--kube-api-burst=800",
            "--profiling=false",
        )

    def scheduler(self) -> Program:
        """Which node a Pod goes to."""
        kubeconfig = self.kubeconfig_for("system:kube-scheduler")
        return self._program(
            "kube-scheduler",
            f"--config={self.folder / 'scheduler.yaml'}",
            f"--authentication-kubeconfig={kubeconfig}",
            f"--authorization-kubeconfig={kubeconfig}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self.ports.scheduler}",
        )

    def _program(self, name: str, *flags: str) -> Program:
        return Program((str(binaries.path(name)), *flags), self.logs / f"{name}.log")
