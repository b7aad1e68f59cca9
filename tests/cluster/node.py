"""The bare node's programs beside its control plane, their files and flags. It starts nothing."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.cluster import binaries, certificates, network
from tests.cluster.controlplane import ControlPlane
from tests.cluster.processes import Program

NAME = "weir"  # of the node
PAUSE_IMAGE = "weir.dev/pause:1"
# Every container's processes are below this control group, which is how they are found.
CGROUP = "weir-cluster"
# Fixed and short: a Unix socket's path has at most 107 bytes, a checkout's may have more.
RUN = Path("/run/weir-cluster")
DATA = Path("/var/lib/weir-cluster")
CONTAINERD_SOCKET = RUN / "containerd.sock"
CNI_PLUGINS = Path("/usr/lib/cni")


@dataclass(frozen=True)
class Node:
    """The one node of a bare cluster."""

    plane: ControlPlane

    def prepare(self) -> None:
        """Write every certificate and configuration."""
        for folder in (RUN, DATA, DATA / "cni" / "net.d"):
            folder.mkdir(parents=True, exist_ok=True)
        (DATA / "cni" / "net.d" / "10-weir.conflist").write_text(
            network.cni_config(DATA / "cni" / "addresses")
        )
        serving = self.plane.authority.issue(
            f"system:node:{NAME}", ["system:nodes"], [NAME, network.NODE_ADDRESS, "127.0.0.1"]
        )
        certificates.write_pair(serving, self._pki, "kubelet")
        self._kubelet_kubeconfig()
        (self.plane.folder / "containerd.toml").write_text(_containerd_config())
        self._write("kubelet.yaml", self._kubelet_config())
        self._write("kube-proxy.yaml", self._proxy_config())

    def containerd(self) -> Program:
        """What runs the containers."""
        command = ("/usr/bin/containerd", "--config", str(self.plane.folder / "containerd.toml"))
        return Program(command, self.plane.logs / "containerd.log")

    def kubelet(self) -> Program:
        """What makes Pods of containers."""
        return self._program(
            "kubelet",
            f"--config={self.plane.folder / 'kubelet.yaml'}",
            f"--kubeconfig={self._kubelet_kubeconfig()}",
            f"--root-dir={DATA / 'kubelet'}",
            f"--hostname-override={NAME}",
            f"--node-ip={network.NODE_ADDRESS}",
            f"--cert-dir={self._pki}",
        )

    def proxy(self) -> Program:
        """What makes Services reachable."""
        return self._program("kube-proxy", f"--config={self.plane.folder / 'kube-proxy.yaml'}")

    @property
    def _pki(self) -> Path:
        return self.plane.folder / "pki"

    def _kubelet_kubeconfig(self) -> Path:
        return self.plane.kubeconfig_for(f"system:node:{NAME}", ["system:nodes"])

    def _kubelet_config(self) -> dict[str, Any]:
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": "0.0.0.0",
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(self._pki / "ca.crt")},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": str(self._pki / "kubelet.crt"),
            "tlsPrivateKeyFile": str(self._pki / "kubelet.key"),
            "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{CGROUP}",
            "failSwapOn": False,
            "failCgroupV1": False,
            "oomScoreAdj": 0,  # a lower one needs CAP_SYS_RESOURCE
            "volumePluginDir": str(DATA / "volume-plugins"),
            "podLogsDir": str(DATA / "pod-logs"),
            "maxPods": 500,
            "kubeAPIQPS": 400,
            "kubeAPIBurst": 800,
            "eventRecordQPS": 400,
            "eventBurst": 800,
            "serializeImagePulls": False,
            "nodeStatusUpdateFrequency": "5s",
            # A machine's disk may be nearly full, and an image that is deleted then cannot be
            # pulled again.
            "imageGCHighThresholdPercent": 100,
            "imageGCLowThresholdPercent": 99,
            "evictionHard": {
                "memory.available": "50Mi",
                "nodefs.available": "50Mi",
                "imagefs.available": "50Mi",
                "nodefs.inodesFree": "0%",
            },
        }

    def _proxy_config(self) -> dict[str, Any]:
        return {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "clientConnection": {
                "kubeconfig": str(self.plane.kubeconfig_for("system:kube-proxy")),
                "qps": 200,
                "burst": 400,
            },
            "hostnameOverride": NAME,
            "clusterCIDR": network.PODS,
            "healthzBindAddress": "127.0.0.1:10256",
            "metricsBindAddress": "127.0.0.1:10249",
            "oomScoreAdj": 0,
            # The kernel's own limits stay: to change them is not allowed on every machine.
            "conntrack": {
                "maxPerCore": 0,
                "min": 0,
                "tcpEstablishedTimeout": "0s",
                "tcpCloseWaitTimeout": "0s",
            },
            # A Service is reachable as soon as its Pod is; the default gathers changes for 1 s.
            "iptables": {"minSyncPeriod": "100ms", "syncPeriod": "30s"},
        }

    def _write(self, name: str, config: dict[str, Any]) -> None:
        (self.plane.folder / name).write_text(yaml.safe_dump(config))

    def _program(self, name: str, *flags: str) -> Program:
        return Program((str(binaries.path(name)), *flags), self.plane.logs / f"{name}.log")


def _containerd_config() -> str:
    cri = '[plugins."io.containerd.grpc.v1.cri"'
    # TOML's strings and JSON's are written alike.
    quoted = json.dumps
    return f"""\
version = 2
root = {quoted(str(DATA / "containerd"))}
state = {quoted(str(RUN / "containerd"))}
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
]

[grpc]
  address = {quoted(str(CONTAINERD_SOCKET))}

[plugins."io.containerd.internal.v1.opt"]
  path = {quoted(str(DATA / "opt"))}

{cri}]
  sandbox_image = {quoted(PAUSE_IMAGE)}
  # Without CAP_SYS_RESOURCE runc dies otherwise, with the misleading message
  # "can't get final child's PID from pipe: EOF".
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  tolerate_missing_hugetlb_controller = true
  disable_apparmor = true

{cri}.containerd]
  snapshotter = "overlayfs"
  default_runtime_name = "runc"

{cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

{cri}.containerd.runtimes.runc.options]
  Root = {quoted(str(RUN / "runc"))}

{cri}.cni]
  bin_dir = {quoted(str(CNI_PLUGINS))}
  conf_dir = {quoted(str(DATA / "cni" / "net.d"))}
"""
