"""What is true of everything that the chart renders."""

import json

import kubernetes_validate
import pytest

from tests.chart.rendering import CHART, NAMESPACE, Manifest, Rendered, helm, render
from tests.chart.variants import VARIANTS

CLUSTER_SCOPED = {
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
}
# Kinds of other projects: Kubernetes has no schemas of them.
FOREIGN = {"Certificate", "PodMonitor"}
# A role that every cluster has, in kube-system: to read the CA of client certificates.
BUILT_IN = "extension-apiserver-authentication-reader"
STANDARD_LABELS = {
    "app.kubernetes.io/name": "weir",
    "app.kubernetes.io/instance": "weir",
    "app.kubernetes.io/version": "0.1.0",
    "app.kubernetes.io/managed-by": "Helm",
    "app.kubernetes.io/part-of": "weir",
}


@pytest.fixture(params=list(VARIANTS.values()), ids=list(VARIANTS))
def rendered(request: pytest.FixtureRequest) -> Rendered:
    return render(request.param)


def test_helm_lint_finds_nothing_to_warn_of() -> None:
    helm("lint", "--strict", str(CHART))


def test_every_manifest_is_valid_for_kubernetes_1_34(rendered: Rendered) -> None:
    for manifest in rendered:
        if manifest["kind"] not in FOREIGN:
            kubernetes_validate.validate(manifest, "1.34", strict=True)


def test_every_namespaced_manifest_says_its_namespace(rendered: Rendered) -> None:
    for manifest in rendered:
        in_namespace = "namespace" in manifest["metadata"]
        assert in_namespace != (manifest["kind"] in CLUSTER_SCOPED), manifest["metadata"]


def test_nothing_is_rendered_twice(rendered: Rendered) -> None:
    keys = [
        (one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]) for one in rendered
    ]
    assert len(keys) == len(set(keys))


def test_everything_but_the_crds_has_the_standard_labels(rendered: Rendered) -> None:
    for manifest in rendered:
        if manifest["kind"] != "CustomResourceDefinition":
            assert manifest["metadata"]["labels"].items() >= STANDARD_LABELS.items()
            assert manifest["metadata"]["labels"]["helm.sh/chart"] == "weir-0.1.0"


def test_no_container_runs_as_root(rendered: Rendered) -> None:
    for spec in rendered.pod_specs():
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] == 65532
        assert "initContainers" not in spec


def test_pods_meet_the_restricted_pod_security_standard(rendered: Rendered) -> None:
    for spec in rendered.pod_specs():
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for field in ("hostNetwork", "hostPID", "hostIPC"):
            assert field not in spec
        for container in spec["containers"]:
            security = container["securityContext"]
            assert security["allowPrivilegeEscalation"] is False
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert security["readOnlyRootFilesystem"] is True
            assert "privileged" not in security


def test_every_container_asks_for_cpu_and_memory_and_has_a_memory_limit(rendered: Rendered) -> None:
    for spec in rendered.pod_specs():
        for container in spec["containers"]:
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}
            assert "memory" in container["resources"]["limits"]


def test_every_container_is_probed(rendered: Rendered) -> None:
    for spec in rendered.pod_specs():
        for container in spec["containers"]:
            ports = {port["name"] for port in container["ports"]}
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                assert container[probe]["httpGet"]["port"] in ports


def test_pods_are_told_of_no_services(rendered: Rendered) -> None:
    assert all(spec["enableServiceLinks"] is False for spec in rendered.pod_specs())


def test_selectors_choose_the_pods_of_their_own_component(rendered: Rendered) -> None:
    for deployment in rendered.of_kind("Deployment"):
        selector = deployment["spec"]["selector"]["matchLabels"]
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert selector["app.kubernetes.io/component"] == labels["app.kubernetes.io/component"]
        assert labels.items() >= selector.items()


def test_role_bindings_refer_to_roles_of_the_same_rendering(rendered: Rendered) -> None:
    for binding in rendered.of_kind("RoleBinding", "ClusterRoleBinding"):
        role = binding["roleRef"]
        if role["name"] == BUILT_IN:
            continue
        namespace = binding["metadata"].get("namespace")
        assert any(
            one["metadata"]["name"] == role["name"]
            and one["metadata"].get("namespace") == namespace
            for one in rendered.of_kind(role["kind"])
        ), binding["metadata"]


def test_the_service_account_of_runners_has_no_rights(rendered: Rendered) -> None:
    subjects = [
        subject
        for binding in rendered.of_kind("RoleBinding", "ClusterRoleBinding")
        for subject in binding["subjects"]
    ]
    accounts = {(s["namespace"], s["name"]) for s in subjects if s["kind"] == "ServiceAccount"}
    assert accounts == {(NAMESPACE, "weir-operator"), (NAMESPACE, "weir-server")}
    groups = [s["name"] for s in subjects if s["kind"] == "Group"]
    assert groups == ["system:authenticated"]  # it may know the server's address and CA


def test_no_secret_stands_in_a_pod_spec(rendered: Rendered) -> None:
    for spec in rendered.pod_specs():
        assert "secret@" not in json.dumps(spec)


def environment(spec: Manifest) -> Manifest:
    return {one["name"]: one.get("value") for one in spec["containers"][0]["env"]}


def test_no_variable_is_set_twice(rendered: Rendered) -> None:
    for spec in rendered.pod_specs():
        names = [one["name"] for one in spec["containers"][0]["env"]]
        assert len(names) == len(set(names))
