"""Installing, upgrading and removing the chart with Helm, on a real API server."""

import json
import subprocess
from collections.abc import Iterator

import pytest

from charts.install import Tools, clear_half_done
from tests.chart.applying import kubectl
from tests.chart.rendering import CHART, NAMESPACE, HelmError, helm
from tests.cluster import binaries
from tests.cluster.apiserver import ApiServer

FLOW = {
    "apiVersion": "weir.dev/v1alpha1",
    "kind": "Flow",
    "metadata": {"name": "kept", "namespace": "default"},
    "spec": {"script": "def handler(system, this):\n    pass\n"},
}


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer(controllers=True) as api_server:
        yield api_server


def release(server: ApiServer, name: str, *options: str, namespace: str = NAMESPACE) -> None:
    where = (f"--kubeconfig={server.kubeconfig}", f"--namespace={namespace}")
    helm("upgrade", name, str(CHART), "--install", "--create-namespace", *where, *options)


def remove(server: ApiServer, name: str) -> None:
    helm("uninstall", name, f"--kubeconfig={server.kubeconfig}", f"--namespace={NAMESPACE}")


def names(server: ApiServer, kind: str) -> set[str]:
    listed = json.loads(kubectl(server, "get", kind, f"--namespace={NAMESPACE}", "--output=json"))
    return {one["metadata"]["name"] for one in listed["items"]}


def test_an_uninstall_leaves_flows_and_database_and_a_new_install_takes_them_over(
    server: ApiServer,
) -> None:
    release(server, "weir")
    kubectl(server, "apply", "--filename=-", stdin=json.dumps(FLOW))

    remove(server, "weir")
    kubectl(server, "get", "flow", "kept", "--namespace=default")
    assert names(server, "persistentvolumeclaims") == {"weir-server"}
    assert not names(server, "deployments")
    assert not names(server, "clusterroles") & {"weir-user", "weir-author", "weir-view"}

    release(server, "weir")
    kubectl(server, "get", "flow", "kept", "--namespace=default")
    assert names(server, "deployments") == {"weir-operator", "weir-server"}


def test_values_may_change_with_an_upgrade(server: ApiServer) -> None:
    release(server, "weir")
    for option in (
        "--set=server.service.type=NodePort",
        "--set=operator.replicas=2",
        "--set=tls.secretName=other",
        "--set=database.url=postgresql+psycopg://a:b@c/d,server.replicas=2",
        "--set=watchNamespaces={default}",
    ):
        release(server, "weir", option)
    assert not any(name.startswith(NAMESPACE) for name in names(server, "clusterroles"))
    assert not names(server, "validatingadmissionpolicies")


def test_two_namespaced_installations_stand_side_by_side(server: ApiServer) -> None:
    kubectl(server, "create", "namespace", "team-a")
    kubectl(server, "create", "namespace", "team-b")
    release(server, "weir", "--set=watchNamespaces={team-a}", namespace="weir-a")
    with pytest.raises(HelmError, match="CustomResourceDefinition"):
        release(server, "weir", "--set=watchNamespaces={team-b}", namespace="weir-b")
    options = ("--set=watchNamespaces={team-b}", "--set=crds.install=false")
    release(server, "weir", *options, namespace="weir-b")


def kill_while_it_waits(server: ApiServer, *options: str) -> None:
    """Kill a Helm that waits for Pods, which never come to be in an API server alone."""
    tools = Tools(server.kubeconfig)
    before = _revisions(tools)
    command = [str(binaries.path("helm")), "upgrade", "weir", str(CHART), "--install"]
    where = [f"--kubeconfig={server.kubeconfig}", f"--namespace={NAMESPACE}", "--create-namespace"]
    process = subprocess.Popen(
        [*command, *where, "--wait", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while _revisions(tools) == before:
        assert process.poll() is None
    process.kill()
    process.wait()


def _revisions(tools: Tools) -> str:
    return tools.kubectl("get", "secrets", "--selector=owner=helm", "--output=name")


def test_what_a_killed_helm_left_is_cleared_and_the_next_one_goes_on(server: ApiServer) -> None:
    tools = Tools(server.kubeconfig)
    kill_while_it_waits(server)
    clear_half_done(tools)
    release(server, "weir")

    kill_while_it_waits(server, "--set=operator.replicas=2")
    with pytest.raises(HelmError, match="another operation"):
        release(server, "weir")
    clear_half_done(tools)
    release(server, "weir")
