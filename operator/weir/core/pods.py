"""The runner Pod of one attempt, as a manifest. What a Flow may set of it is an allow-list."""

from typing import NamedTuple

from weir.api import names
from weir.api.execution import Execution
from weir.api.flow import Runner
from weir.api.resource import JsonObject
from weir_protocol import AUDIENCE

CONTAINER = "runner"
_USER = 65532
_CACHE_FOLDER = "/var/cache/weir"
_TOKEN_FOLDER = "/var/run/secrets/weir"
# The least that a kubelet issues; it renews the file long before.
_TOKEN_SECONDS = 3600
# Time for a run to leave by itself when its node is drained.
_GRACE_SECONDS = 15

OWN_VARIABLES = frozenset({"PYTHONHASHSEED", "HOME"})
OWN_PREFIX = "WEIR_"


class RunnerDefaults(NamedTuple):
    """What every runner Pod gets from the installation."""

    image: str
    pull_policy: str
    resources: JsonObject  # ResourceRequirements, where a Flow says nothing
    service_account: str
    server: str  # host:port
    server_name: str  # the name in the server's certificate
    server_ca: str  # PEM
    cache: JsonObject | None = None  # volume source for environments of requirements
    packages: tuple[JsonObject, ...] = ()  # environment that says to uv where modules come from


def manifest(
    execution: Execution,
    attempt: int,
    runner: Runner | None,
    defaults: RunnerDefaults,
    *,
    installs: bool = False,
) -> JsonObject:
    """Return the Pod that runs one attempt of an Execution.

    Its name is derived from the Execution's UID and the attempt, so making it twice is making it
    once. With `installs` it has what the installation of requirements needs.
    """
    runner = runner or Runner()
    set_by_flow = runner.dump()
    spec: JsonObject = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": _GRACE_SECONDS,
        "serviceAccountName": runner.service_account_name or defaults.service_account,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(runner, defaults)],
        "volumes": [
            {"name": "tmp", "emptyDir": {}},
            {
                "name": "token",
                "projected": {
                    "sources": [
                        {
                            "serviceAccountToken": {
                                "path": "token",
                                "audience": AUDIENCE,
                                "expirationSeconds": _TOKEN_SECONDS,
                            }
                        }
                    ]
                },
            },
        ],
    }
    if installs:
        _let_install(spec, defaults)
    for field in ("nodeSelector", "tolerations", "imagePullSecrets"):
        if field in set_by_flow:
            spec[field] = set_by_flow[field]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": _metadata(execution, attempt),
        "spec": spec,
    }


def belongs_to(pod: JsonObject, execution: Execution) -> bool:
    """Whether a Pod was made for this Execution, and not merely carries its name."""
    owners = pod["metadata"].get("ownerReferences") or []
    return any(owner.get("controller") and owner.get("uid") == execution.uid for owner in owners)


def is_reserved(variable: str) -> bool:
    """Whether an environment variable is Weir's own, so that no Flow may set it."""
    return variable.startswith(OWN_PREFIX) or variable in OWN_VARIABLES


def _metadata(execution: Execution, attempt: int) -> JsonObject:
    return {
        "name": names.pod_name(execution.metadata.name, execution.uid, attempt),
        "namespace": execution.metadata.namespace,
        "labels": {
            names.EXECUTION_LABEL: execution.metadata.name,
            names.MANAGED_BY_LABEL: names.MANAGED_BY,
            "app.kubernetes.io/component": "runner",
        },
        "ownerReferences": [
            {
                "apiVersion": names.API_VERSION,
                "kind": Execution.KIND,
                "name": execution.metadata.name,
                "uid": execution.uid,
                "controller": True,
                # We never block a deletion: with it, one would need rights on finalizers.
                "blockOwnerDeletion": False,
            }
        ],
    }


def _container(runner: Runner, defaults: RunnerDefaults) -> JsonObject:
    container: JsonObject = {
        "name": CONTAINER,
        "image": runner.image or defaults.image,
        "imagePullPolicy": defaults.pull_policy,
        "env": _environment(runner, defaults),
        "resources": runner.resources.dump() if runner.resources else defaults.resources,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "tmp", "mountPath": "/tmp"},
            {"name": "token", "mountPath": _TOKEN_FOLDER, "readOnly": True},
        ],
    }
    if runner.env_from:
        container["envFrom"] = [source.dump() for source in runner.env_from]
    return container


def _let_install(spec: JsonObject, defaults: RunnerDefaults) -> None:
    (container,) = spec["containers"]
    set_by_flow = {one["name"] for one in container["env"]}
    container["env"] += [one for one in defaults.packages if one["name"] not in set_by_flow]
    if defaults.cache is not None:
        spec["volumes"].append({"name": "cache", **defaults.cache})
        container["volumeMounts"].append({"name": "cache", "mountPath": _CACHE_FOLDER})


def _environment(runner: Runner, defaults: RunnerDefaults) -> list[JsonObject]:
    own = {
        "WEIR_SERVER": defaults.server,
        "WEIR_SERVER_NAME": defaults.server_name,
        "WEIR_SERVER_CA": defaults.server_ca,
        "WEIR_TOKEN_FILE": f"{_TOKEN_FOLDER}/token",
        # A resumed run must iterate over sets and dicts of strings in the same order.
        "PYTHONHASHSEED": "0",
        "HOME": "/tmp",
    }
    from_flow = [one.dump() for one in runner.env or [] if not is_reserved(one.name)]
    return [*from_flow, *({"name": name, "value": value} for name, value in own.items())]
