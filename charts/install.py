"""Install the chart into a development cluster, with the images just built.

`python -m charts.install [--provider bare|kind|current]` gives the cluster the images of
`build/images.json`, installs or upgrades the release `weir`, waits until it is ready, and prints
the server's address.
"""

import argparse
import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.cluster import binaries, providers
from tests.cluster.bare import BareCluster
from tests.cluster.current import Current
from tests.cluster.errors import ClusterError
from tests.cluster.node import DATA

CHART = Path(__file__).parent / "weir"
IMAGES = Path(__file__).parents[1] / "build" / "images.json"
RELEASE = "weir"
NAMESPACE = "weir-system"
NODE_PORT = 30843
TIMEOUT = 180  # seconds for everything to be ready
# On the bare node, where no provisioner makes volumes. It goes with the node's other data.
DATABASE_FOLDER = DATA / "weir"
MODULES_FOLDER = DATABASE_FOLDER.with_name("modules")
USER = 65532

Json = dict[str, Any]


class InstallError(Exception):
    """Weir cannot be installed; the message says why and what to do."""


class Tools:
    """helm and kubectl, against one cluster."""

    def __init__(self, kubeconfig: Path) -> None:
        self._kubeconfig = kubeconfig

    def helm(self, *arguments: str, stdin: str = "") -> str:
        """Run helm in Weir's namespace and return what it prints. Raise InstallError."""
        return self._run("helm", f"--namespace={NAMESPACE}", *arguments, stdin=stdin)

    def kubectl(self, *arguments: str) -> str:
        """Run kubectl in Weir's namespace and return what it prints. Raise InstallError."""
        return self._run("kubectl", f"--namespace={NAMESPACE}", *arguments)

    def _run(self, program: str, *arguments: str, stdin: str = "") -> str:
        done = subprocess.run(
            [str(binaries.path(program)), f"--kubeconfig={self._kubeconfig}", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise InstallError(f"`{program} {arguments[1]}` failed: {done.stderr.strip()[-3000:]}")
        return done.stdout


def install(provider: str | None, overrides: list[str]) -> str:
    """Install or upgrade Weir and return the server's URL. Raise InstallError or ClusterError."""
    lock_file = binaries.cache_folder() / "install.lock"
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with lock_file.open("w") as lock:
        # Helm does not wait for another Helm, and takes what it left for half done.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _install(provider, overrides)


def _install(provider: str | None, overrides: list[str]) -> str:
    cluster = providers.get(provider)
    if not cluster.is_healthy():
        raise InstallError("there is no healthy cluster: run `make cluster` first")
    built = _images()
    tools = Tools(cluster.kubeconfig)
    _load_images(cluster, tools, built)
    values = _values(cluster, built)
    clear_half_done(tools)
    options = [f"--set={one}" for one in overrides]
    try:
        tools.helm(
            *("upgrade", RELEASE, str(CHART), "--install", "--create-namespace", "--values=-"),
            *("--wait", f"--timeout={TIMEOUT}s", "--history-max=3", *options),
            stdin=json.dumps(values),
        )
    except InstallError as error:
        raise InstallError(f"{error}\n\n{_what_is_wrong(tools)}") from error
    return _address(cluster, tools)


def _images() -> Json:
    if not IMAGES.exists():
        raise InstallError(f"there is no {IMAGES}: run `make images` first")
    built: Json = json.loads(IMAGES.read_text())
    return built


def _load_images(cluster: providers.Cluster, tools: Tools, built: Json) -> None:
    """Give the nodes the images that they do not report to have."""
    nodes = json.loads(tools.kubectl("get", "nodes", "--output=json"))["items"]
    known = {
        name.removeprefix("docker.io/library/")
        for node in nodes
        for image in node["status"].get("images", [])
        for name in image.get("names", [])
    }
    for role, archive in built["archives"].items():
        name = built[role]
        # A node reports its images with a delay: the bare one can be asked.
        if name in known or (isinstance(cluster, BareCluster) and cluster.has_image(name)):
            continue
        _say(f"loading {name}")
        cluster.load_image(Path(archive))


def _values(cluster: providers.Cluster, built: Json) -> Json:
    """Return what differs from the chart's defaults in a development cluster."""
    images = {}
    for role in ("operator", "runner"):
        repository, _, tag = built[role].rpartition(":")
        images[role] = {"repository": repository, "tag": tag, "pullPolicy": "IfNotPresent"}
    values: Json = {"image": images}
    if isinstance(cluster, Current):
        return values
    for image in images.values():
        image["pullPolicy"] = "Never"  # no registry has them
    values["server"] = {"service": {"type": "NodePort", "nodePort": NODE_PORT}}
    if isinstance(cluster, BareCluster):
        DATABASE_FOLDER.mkdir(parents=True, exist_ok=True)
        os.chown(DATABASE_FOLDER, USER, USER)
        DATABASE_FOLDER.chmod(0o700)
        values["server"]["storage"] = {"type": "hostPath", "path": str(DATABASE_FOLDER)}
        values["runner"] = _modules()
    return values


def _modules() -> Json:
    """Return where flows' modules come from: a folder of wheels, for the node has no network."""
    wheels = MODULES_FOLDER / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    MODULES_FOLDER.chmod(0o1777)
    return {
        "packages": {"findLinks": ["/var/cache/weir/wheels"], "offline": True},
        "cache": {"hostPath": str(MODULES_FOLDER)},
    }


def clear_half_done(tools: Tools) -> None:
    """Undo what a killed helm left: it refuses to go on from there."""
    listed = json.loads(tools.helm("list", "--output=json") or "[]")
    states = {release["name"]: release["status"] for release in listed}
    match states.get(RELEASE, ""):
        case "pending-install" | "uninstalling":
            _say("removing a half-done installation")
            tools.helm("uninstall", RELEASE, "--wait")
        case "pending-upgrade" | "pending-rollback":
            _say("going back from a half-done upgrade")
            tools.helm("rollback", RELEASE)


def _what_is_wrong(tools: Tools) -> str:
    """Return Pods, what kept them from being ready, and the ends of their logs."""
    label = "--selector=app.kubernetes.io/part-of=weir"
    questions = (
        ("get", "pods", label),
        ("get", "events", "--field-selector=type=Warning", "--sort-by=.lastTimestamp"),
        ("logs", label, "--all-containers", "--tail=15", "--prefix", "--ignore-errors"),
    )
    answers = []
    for question in questions:
        try:
            answers.append(tools.kubectl(*question).strip()[-4000:])
        except InstallError as error:
            answers.append(str(error))
    return "\n\n".join(answers)


def _address(cluster: providers.Cluster, tools: Tools) -> str:
    service = json.loads(tools.kubectl("get", "service", "weir-server", "--output=json"))["spec"]
    port = service["ports"][0]
    if not port.get("nodePort"):
        return f"https://{service['clusterIP']}:{port['port']}"
    if isinstance(cluster, BareCluster):
        return f"https://127.0.0.1:{port['nodePort']}"
    (node, *_) = json.loads(tools.kubectl("get", "nodes", "--output=json"))["items"]
    addresses = {one["type"]: one["address"] for one in node["status"]["addresses"]}
    return f"https://{addresses['InternalIP']}:{port['nodePort']}"


def _say(text: str) -> None:
    print(f"install: {text}", file=sys.stderr, flush=True)


def main() -> int:
    """Install as the command line says; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m charts.install", description=__doc__)
    parser.add_argument("--provider", choices=providers.NAMES, help="default: what fits")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="a value of the chart"
    )
    options = parser.parse_args()
    began = time.monotonic()
    try:
        address = install(options.provider, options.set)
    except (InstallError, ClusterError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    _say(f"Weir is ready after {time.monotonic() - began:.1f} s; its server answers at")
    print(address)
    return 0


if __name__ == "__main__":
    sys.exit(main())
