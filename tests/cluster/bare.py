"""A whole Kubernetes node on this machine, without Docker: real Pods for the end-to-end tests.

It needs root and Debian, and there is one on a machine: its addresses, ports and folders are fixed.
It outlives whoever starts it. It lives as long as its etcd: what else has died is started again by
`up`, and when etcd is gone, `up` clears everything away and starts afresh.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.cluster import binaries, images, leftovers, network, node, packages, readiness
from tests.cluster.api import Api
from tests.cluster.controlplane import ControlPlane
from tests.cluster.errors import ClusterError
from tests.cluster.processes import Processes, Program, running

CHECKOUT = Path(__file__).resolve().parents[2]
START_TIMEOUT = 90.0
_IMAGE_TIMEOUT = 10.0
STOP_GRACE = 2.0
_PORTS = {
    "etcd": (2379, 2380),
    "kube-apiserver": (6443,),
    "kube-controller-manager": (10257,),
    "kube-scheduler": (10259,),
    "kubelet": (10248, 10250),
    "kube-proxy": (10249, 10256),
}
_PORT_TIMEOUT = 5.0  # seconds for the kernel to close what a killed program listened at
_FOLDERS = (node.RUN, node.DATA)
# In the order in which they are started.
PROGRAMS: dict[str, Callable[[ControlPlane, node.Node], Program]] = {
    "etcd": lambda plane, _: plane.etcd(),
    "containerd": lambda _, node: node.containerd(),
    "kube-apiserver": lambda plane, _: plane.apiserver(),
    "kube-controller-manager": lambda plane, _: plane.controller_manager(),
    "kube-scheduler": lambda plane, _: plane.scheduler(),
    "kubelet": lambda _, node: node.kubelet(),
    "kube-proxy": lambda _, node: node.proxy(),
}


class BareCluster:
    """The bare cluster of a checkout, whose state and logs are in its folder `.cluster`."""

    node_name = node.NAME
    node_address = network.NODE_ADDRESS

    def __init__(self, checkout: Path = CHECKOUT) -> None:
        self._folder = checkout.resolve() / ".cluster"
        self.logs = self._folder / "logs"
        self._plane = ControlPlane(
            folder=self._folder,
            logs=self.logs,
            bind="0.0.0.0",  # Pods reach it at the bridge's address, the host at 127.0.0.1
            advertise=network.NODE_ADDRESS,
            hosts=(network.NODE_ADDRESS, node.NAME),
        )
        self._node = node.Node(self._plane)
        self._processes = Processes(self._folder)

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self._plane.kubeconfig

    @property
    def audit_log(self) -> Path:
        """Who wrote what, one JSON object a line, complete when the request is answered."""
        return self._plane.audit_log

    def kubeconfig_for(self, user: str, groups: Sequence[str] = ()) -> Path:
        """Return a kubeconfig for the user, who may do what RBAC grants to them and the groups."""
        return self._plane.kubeconfig_for(user, groups)

    def up(self) -> None:
        """Make the cluster run and be healthy, whatever state it and the machine are in."""
        if self.is_healthy():
            return
        if os.geteuid() != 0:
            raise ClusterError(
                "the bare cluster needs root: it mounts, bridges and starts containers"
            )
        packages.install()
        binaries.paths(*(name for name in (*PROGRAMS, "pause") if name in binaries.RECIPES))
        with self._only_one():
            self._refuse_if_another_runs()
            if self.is_healthy():  # somebody else has seen to it while we waited
                return
            if self._processes.find("etcd") and self._is_repaired():
                return
            self._clear()
            self._start_afresh()

    def down(self) -> None:
        """Remove everything but the logs, from this machine too."""
        with self._only_one():
            self._refuse_if_another_runs()
            self._clear()

    def is_healthy(self) -> bool:
        """Tell whether every program runs, and a Pod that is created now would run."""
        if not self.kubeconfig.exists():
            return False
        alive = {process.name for process in self._processes.all()}
        return alive.issuperset(PROGRAMS) and self._is_listening() and self._is_node_ready()

    def status(self) -> dict[str, int | None]:
        """Return the pid of each program, None of one that does not run."""
        found = {process.name: process.pid for process in reversed(self._processes.all())}
        return {name: found.get(name) for name in PROGRAMS}

    def start(self, name: str) -> None:
        """Start the named program, unless it runs; to wait until it works is the caller's."""
        if self._processes.find(name) is None:
            for port in _PORTS.get(name, ()):
                if not readiness.is_free(port, _PORT_TIMEOUT):
                    raise ClusterError(
                        f"{name} needs port {port}, which another program has; see `ss -ltnp`"
                    )
            self._processes.start(self._program(name))

    def stop(self, name: str, grace: float = STOP_GRACE) -> None:
        """End the named program in good order, or kill it when it takes longer than `grace` s."""
        self._processes.stop(_known(name), grace)

    def kill(self, name: str) -> None:
        """Kill the named program, as a crash would."""
        self._processes.kill(_known(name))

    def restart_apiserver(self) -> None:
        """Stop and start the API server, and return when it serves; etcd stays."""
        self.stop("kube-apiserver")
        self.start("kube-apiserver")
        self._wait_for_apiserver()

    def load_image(self, archive: Path) -> None:
        """Give the node the images of a docker-archive, under the names in it."""
        if not archive.is_file():
            raise ClusterError(f"there is no image archive {archive}")
        imported = self._ctr("images", "import", str(archive))
        names = {line.split()[1] for line in imported.splitlines() if line.startswith("unpacking ")}
        # The kubelet sees an image a moment later than containerd, when it has got this label.
        known = ("images", "list", "--quiet", 'labels."io.cri-containerd.image"==managed')
        readiness.wait_until(
            lambda: names.issubset(self._ctr(*known).split()),
            what=f"the kubelet to see {', '.join(sorted(names))}",
            timeout=_IMAGE_TIMEOUT,
            processes=self._processes,
            needed=[self._node.containerd()],
        )

    def has_image(self, name: str) -> bool:
        """Tell whether the node has the image, named as in a Pod, for example `weir/runner:dev`."""
        return _full_name(name) in self._ctr("images", "list", "--quiet").split()

    # Starting.

    def _start_afresh(self) -> None:
        _say("starting a new cluster ...")
        self._put_logs_aside()
        self._plane.prepare()
        self._node.prepare()
        leftovers.make_cgroups(node.CGROUP)
        network.up(self._remembered)
        self.start("etcd")
        self.start("containerd")
        readiness.wait_until(
            lambda: readiness.listens(self._plane.ports.etcd),
            what="etcd",
            timeout=START_TIMEOUT,
            processes=self._processes,
            needed=[self._plane.etcd()],
        )
        self.start("kube-apiserver")
        self._load_pause_image()
        self._wait_for_apiserver()
        self._start_the_rest()

    def _put_logs_aside(self) -> None:
        """Let each cluster begin with empty logs, those of the one before beside them."""
        before = self.logs / "previous"
        shutil.rmtree(before, ignore_errors=True)
        before.mkdir(parents=True)
        for log in self.logs.iterdir():
            if log.is_file():
                log.rename(before / log.name)

    def _is_repaired(self) -> bool:
        """Start what has died; tell whether the cluster is healthy then."""
        dead = [name for name, pid in self.status().items() if pid is None]
        _say(f"starting again what has died: {', '.join(dead) or 'nothing has'} ...")
        try:
            for name in ("kube-apiserver", "containerd"):
                self.start(name)
            self._wait_for_apiserver()
            self._start_the_rest()
        except (ClusterError, OSError) as error:
            _say(f"that did not help, so everything is cleared away: {error}")
            return False
        return True

    def _start_the_rest(self) -> None:
        for name in PROGRAMS:
            self.start(name)
        readiness.wait_until(
            lambda: self._is_listening() and self._is_node_ready(),
            what="the node",
            timeout=START_TIMEOUT,
            processes=self._processes,
            needed=[self._program(name) for name in PROGRAMS],
        )

    def _wait_for_apiserver(self) -> None:
        readiness.wait_until(
            Api(self.kubeconfig).is_ready,
            what="the API server",
            timeout=START_TIMEOUT,
            processes=self._processes,
            needed=[self._plane.etcd(), self._plane.apiserver()],
        )

    def _is_listening(self) -> bool:
        """Whether every program has got so far: a node's status may be of the kubelet before."""
        return leftovers.is_listening(node.CONTAINERD_SOCKET) and all(
            readiness.listens(port) for ports in _PORTS.values() for port in ports
        )

    def _is_node_ready(self) -> bool:
        api = Api(self.kubeconfig)
        found = api.get(f"/api/v1/nodes/{node.NAME}") or {}
        conditions = found.get("status", {}).get("conditions", ())
        ready = {condition["type"]: condition["status"] for condition in conditions}.get("Ready")
        tainted = found.get("spec", {}).get("taints")
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        return ready == "True" and not tainted and api.exists(account)

    def _load_pause_image(self) -> None:
        readiness.wait_until(
            lambda: self._asked_ctr("version").returncode == 0,
            what="containerd",
            timeout=START_TIMEOUT,
            processes=self._processes,
            needed=[self._node.containerd()],
        )
        archive = self._folder / "pause.tar"
        files = {"pause": binaries.path("pause")}
        images.write_archive(archive, node.PAUSE_IMAGE, files, entrypoint=["/pause"])
        self.load_image(archive)

    # Clearing away.

    def _clear(self) -> None:
        """Kill and remove everything that is, or was, of this cluster."""
        # The kubelet first, lest it start again what is killed after it.
        for name in ("kubelet", "kube-proxy", "containerd"):
            self._processes.kill(name)
        leftovers.kill_containers(node.CGROUP)
        self._processes.kill_all()
        leftovers.kill_containers(node.CGROUP)
        leftovers.remove_cgroups(node.CGROUP)
        leftovers.remove_folders(_FOLDERS)
        leftovers.remove_strays(node.DATA)
        network.down(self._remembered, node.RUN)
        if self._folder.exists():
            for entry in self._folder.iterdir():
                if entry.is_dir() and entry != self.logs:
                    shutil.rmtree(entry)
                elif entry.is_file():
                    entry.unlink()

    def _refuse_if_another_runs(self) -> None:
        """Refuse to share the machine with another checkout's cluster, unless that was deleted."""
        for process in list(running()):
            if process.starter is None and process.owner != self._processes.owner:
                owner = Path(process.owner)
                if owner.is_dir():
                    raise ClusterError(
                        f"the bare cluster of {owner.parent} runs on this machine; stop it first:"
                        f" `cd {owner.parent} && python -m tests.cluster down`"
                    )
                Processes(owner).kill_all()

    # Parts.

    def _program(self, name: str) -> Program:
        return PROGRAMS[_known(name)](self._plane, self._node)

    @property
    def _remembered(self) -> Path:
        """What the kernel's settings were before; outlives the checkout's folder."""
        return binaries.cache_folder() / "sysctls.json"

    def _asked_ctr(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["ctr", "--address", str(node.CONTAINERD_SOCKET), "--namespace", "k8s.io"]
        return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)

    def _ctr(self, *arguments: str) -> str:
        done = self._asked_ctr(*arguments)
        if done.returncode:
            raise ClusterError(f"`ctr {' '.join(arguments)}` failed: {done.stderr.strip()}")
        return done.stdout

    @contextmanager
    def _only_one(self) -> Iterator[None]:
        """Let one process at a time change the machine."""
        binaries.cache_folder().mkdir(parents=True, exist_ok=True)
        with (binaries.cache_folder() / "bare.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _known(name: str) -> str:
    if name not in PROGRAMS:
        raise ClusterError(f"no program {name!r} in the cluster, only {', '.join(PROGRAMS)}")
    return name


def _full_name(image: str) -> str:
    """Return the name as containerd stores it: with a registry and a tag."""
    first, _, rest = image.partition("/")
    if not rest:
        image = f"docker.io/library/{image}"
    elif not ("." in first or ":" in first or first == "localhost"):
        image = f"docker.io/{image}"
    return image if ":" in image.rpartition("/")[2] or "@" in image else f"{image}:latest"


def _say(line: str) -> None:
    print(f"cluster: {line}", file=sys.stderr, flush=True)
