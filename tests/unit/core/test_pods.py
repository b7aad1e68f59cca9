import pytest

from tests.builders import execution, pod_object
from weir.api.flow import Runner
from weir.api.resource import JsonObject
from weir.core.pods import RunnerDefaults, belongs_to, is_reserved, manifest

DEFAULTS = RunnerDefaults(
    image="weir-runner:1",
    pull_policy="IfNotPresent",
    resources={"requests": {"cpu": "50m"}},
    service_account="default",
    server="10.0.0.1:8443",
    server_name="weir-server",
    server_ca="PEM",
)


def pod_of(runner: JsonObject | None = None) -> JsonObject:
    set_by_flow = Runner.model_validate(runner) if runner is not None else None
    return manifest(execution(), 1, set_by_flow, DEFAULTS)


def test_a_run_with_requirements_may_install_them() -> None:
    defaults = DEFAULTS._replace(
        cache={"persistentVolumeClaim": {"claimName": "modules"}},
        packages=({"name": "UV_INDEX", "value": "https://a"}, {"name": "UV_FIND_LINKS"}),
    )
    runner = Runner.model_validate({"env": [{"name": "UV_INDEX", "value": "https://own"}]})
    spec = manifest(execution(), 1, runner, defaults, installs=True)["spec"]

    assert {"name": "cache", "persistentVolumeClaim": {"claimName": "modules"}} in spec["volumes"]
    (container,) = spec["containers"]
    assert {"name": "cache", "mountPath": "/var/cache/weir"} in container["volumeMounts"]
    index = [one["value"] for one in container["env"] if one["name"] == "UV_INDEX"]
    assert index == ["https://own"]
    assert {"name": "UV_FIND_LINKS"} in container["env"]
    without = manifest(execution(), 1, runner, defaults)["spec"]
    assert "cache" not in [one["name"] for one in without["volumes"]]


def container_of(runner: JsonObject | None = None) -> JsonObject:
    (container,) = pod_of(runner)["spec"]["containers"]
    found: JsonObject = container
    return found


def variables(runner: JsonObject | None = None) -> JsonObject:
    return {one["name"]: one.get("value") for one in container_of(runner)["env"]}


def test_a_pod_belongs_to_its_execution_and_says_so() -> None:
    metadata = pod_of()["metadata"]

    assert metadata["namespace"] == "demo"
    assert metadata["labels"]["weir.dev/execution"] == "run"
    assert metadata["labels"]["app.kubernetes.io/managed-by"] == "weir"
    assert metadata["ownerReferences"] == [
        {
            "apiVersion": "weir.dev/v1alpha1",
            "kind": "Execution",
            "name": "run",
            "uid": "execution-run",
            "controller": True,
            "blockOwnerDeletion": False,
        }
    ]


def test_each_attempt_has_a_pod_of_its_own_name() -> None:
    made = [manifest(execution(), attempt, None, DEFAULTS) for attempt in (1, 1, 2)]
    first, again, second = (pod["metadata"]["name"] for pod in made)

    assert first == again
    assert first != second


def test_a_pod_satisfies_the_restricted_standard() -> None:
    spec, container = pod_of()["spec"], container_of()

    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 65532
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_a_pod_has_a_token_for_the_server_and_a_place_to_write() -> None:
    spec, mounts = pod_of()["spec"], container_of()["volumeMounts"]
    tmp, token = spec["volumes"]

    assert tmp == {"name": "tmp", "emptyDir": {}}
    assert token["projected"]["sources"][0]["serviceAccountToken"]["audience"] == "weir-server"
    assert {one["mountPath"] for one in mounts} == {"/tmp", "/var/run/secrets/weir"}
    assert spec["restartPolicy"] == "Never"
    assert spec["enableServiceLinks"] is False
    assert spec["terminationGracePeriodSeconds"] == 15


def test_a_runner_knows_how_to_reach_the_server_and_nothing_of_its_run() -> None:
    assert variables() == {
        "WEIR_SERVER": "10.0.0.1:8443",
        "WEIR_SERVER_NAME": "weir-server",
        "WEIR_SERVER_CA": "PEM",
        "WEIR_TOKEN_FILE": "/var/run/secrets/weir/token",
        "PYTHONHASHSEED": "0",
        "HOME": "/tmp",
    }


def test_a_flow_cannot_set_what_is_weirs_own() -> None:
    env = [
        {"name": "WEIR_SERVER", "value": "evil:1"},
        {"name": "PYTHONHASHSEED", "value": "7"},
        {"name": "MINE", "value": "1"},
    ]

    assert variables({"env": env}) == variables() | {"MINE": "1"}
    assert is_reserved("WEIR_ANYTHING")
    assert is_reserved("HOME")
    assert not is_reserved("MINE")


def test_a_flow_says_nothing_and_gets_the_defaults() -> None:
    container = container_of()

    assert container["image"] == "weir-runner:1"
    assert container["imagePullPolicy"] == "IfNotPresent"
    assert container["resources"] == {"requests": {"cpu": "50m"}}
    assert pod_of()["spec"]["serviceAccountName"] == "default"


@pytest.mark.parametrize(
    "runner",
    [
        pytest.param({"nodeSelector": {"disk": "ssd"}}, id="a node"),
        pytest.param({"tolerations": [{"key": "gpu", "operator": "Exists"}]}, id="a taint"),
        pytest.param({"imagePullSecrets": [{"name": "registry"}]}, id="a pull secret"),
        pytest.param({"serviceAccountName": "other"}, id="a service account"),
    ],
)
def test_a_flow_may_choose_for_the_pod(runner: JsonObject) -> None:
    assert pod_of(runner)["spec"].items() >= runner.items()


@pytest.mark.parametrize(
    "runner",
    [
        pytest.param({"image": "mine:2"}, id="an image"),
        pytest.param({"resources": {"limits": {"memory": "1Gi"}}}, id="resources"),
        pytest.param({"envFrom": [{"secretRef": {"name": "keys"}}]}, id="variables of a Secret"),
    ],
)
def test_a_flow_may_choose_for_the_container(runner: JsonObject) -> None:
    assert container_of(runner).items() >= runner.items()


@pytest.mark.parametrize(
    ("pod", "belongs"),
    [
        pytest.param(pod_object("run"), True, id="the controller's UID decides"),
        pytest.param(pod_object("other"), False, id="another Execution's Pod"),
        pytest.param({"metadata": {"name": "run"}}, False, id="a Pod of nobody"),
    ],
)
def test_a_name_alone_makes_no_pod_ours(pod: JsonObject, belongs: bool) -> None:
    assert belongs_to(pod, execution("run")) is belongs
