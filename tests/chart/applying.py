"""The chart's manifests, applied to a real API server without Helm."""

import json
import subprocess

from tests.chart.rendering import NAMESPACE, Manifest, Rendered
from tests.cluster import binaries
from tests.cluster.apiserver import ApiServer

# Kinds that a plain API server does not have.
FOREIGN = {"Certificate", "PodMonitor"}


def kubectl(server: ApiServer, *arguments: str, stdin: str = "") -> str:
    done = subprocess.run(
        [str(binaries.path("kubectl")), f"--kubeconfig={server.kubeconfig}", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def apply(server: ApiServer, manifests: list[Manifest]) -> None:
    whole = {"apiVersion": "v1", "kind": "List", "items": manifests}
    kubectl(server, "apply", "--server-side", "--filename=-", stdin=json.dumps(whole))


def namespace(name: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def install(server: ApiServer, rendered: Rendered, *namespaces: str) -> None:
    """Make the namespaces, Weir's own, and all that was rendered."""
    apply(server, [namespace(name) for name in (NAMESPACE, *namespaces)])
    apply(server, rendered.of_kind("CustomResourceDefinition"))
    established = ("--for=condition=Established", "--timeout=30s")
    kubectl(server, "wait", *established, "customresourcedefinitions", "--all")
    apply(server, [one for one in rendered if one["kind"] not in FOREIGN])
