"""The API server of the integration tier does what the other tests take for granted."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import binaries
from tests.cluster.apiserver import ApiServer


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    """An API server of this module's own: it is restarted."""
    with ApiServer() as server:
        yield server


def kubectl(kubeconfig: Path, *arguments: str) -> str:
    command = [str(binaries.path("kubectl")), "--kubeconfig", str(kubeconfig), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_a_user_is_who_the_certificate_says(server: ApiServer) -> None:
    answer = kubectl(server.kubeconfig_for("ann", ["team-a"]), "auth", "whoami", "-o", "json")
    info = json.loads(answer)["status"]["userInfo"]
    assert info["username"] == "ann"
    assert "team-a" in info["groups"]


def test_a_user_may_do_only_what_is_granted(server: ApiServer) -> None:
    ben = server.kubeconfig_for("ben")
    assert "forbidden" in kubectl(ben, "get", "pods")
    kubectl(server.kubeconfig, "create", "role", "pods", "--verb=list", "--resource=pods")
    kubectl(server.kubeconfig, "create", "rolebinding", "pods", "--role=pods", "--user=ben")
    assert "No resources found" in kubectl(ben, "get", "pods")


def test_the_audit_log_tells_who_wrote(server: ApiServer) -> None:
    kubectl(server.kubeconfig, "create", "configmap", "written")
    kubectl(server.kubeconfig, "get", "configmap", "written")
    events = [json.loads(line) for line in server.audit_log.read_text().splitlines()]
    seen = [
        (event["user"]["username"], event["verb"])
        for event in events
        if event["objectRef"].get("name") == "written"
    ]
    assert seen == [("kubernetes-admin", "create")]


def test_objects_outlive_a_restart_of_the_api_server(server: ApiServer) -> None:
    kubectl(server.kubeconfig, "create", "configmap", "kept")
    server.restart_apiserver()
    assert "configmap/kept" in kubectl(server.kubeconfig, "get", "configmap/kept", "-o", "name")


def test_the_end_leaves_no_data() -> None:
    with ApiServer() as server:
        folder = server.kubeconfig.parent
        assert folder.is_dir()
    assert not folder.exists()
