"""A small Git repository, served inside the cluster: the GIT example needs no internet."""

from __future__ import annotations

import asyncio

from weir.api.resource import JsonObject
from weir.cluster.client import Cluster
from weir.cluster.errors import AlreadyExists, Refused
from weir.cluster.kinds import PODS, SERVICES, Kind

DEPLOYMENTS = Kind("apps", "v1", "deployments")
NAME = "git"
PORT = 9418
_OPERATOR = "app.kubernetes.io/name=weir,app.kubernetes.io/component=operator"
_PATIENCE = 60.0
_LABELS = {"app.kubernetes.io/name": "git", "app.kubernetes.io/part-of": "weir-demo"}
_SCRIPT = """
set -eu
git config --global user.name Ada
git config --global user.email ada@example.com
git init --quiet --initial-branch=main /tmp/work
cd /tmp/work
mkdir flows
echo '# A project' > README.md
printf 'def handler(system, this):\\n    this.log("hello")\\n' > flows/hello.py
git add .
git commit --quiet --message='The first commit'
git clone --quiet --bare . /tmp/git/project.git
exec git daemon --reuseaddr --export-all --base-path=/tmp/git --port=9418
"""


def url(address: str) -> str:
    """Return the repository's URL at the Service's address."""
    return f"git://{address}/project.git"


def service() -> JsonObject:
    """Return the Service's manifest."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": NAME, "labels": _LABELS},
        "spec": {"selector": _LABELS, "ports": [{"port": PORT}]},
    }


def pod(image: str, pull_policy: str) -> JsonObject:
    """Return the Pod's manifest. The image needs sh and git: Weir's runner image has both."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": NAME, "labels": _LABELS},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 1,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "git",
                    "image": image,
                    "imagePullPolicy": pull_policy,
                    "command": ["sh", "-c", _SCRIPT],
                    "env": [{"name": "HOME", "value": "/tmp"}],
                    "ports": [{"containerPort": PORT}],
                    "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                    "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
                }
            ],
            "volumes": [{"name": "tmp", "emptyDir": {}}],
        },
    }


async def served(cluster: Cluster, namespace: str) -> str:
    """Serve the repository in the namespace, unless it is, and return its URL."""
    image, pull_policy = await _runner_image(cluster)
    try:
        made = await cluster.create(SERVICES, namespace, service())
    except AlreadyExists:
        made = await cluster.get(SERVICES, namespace, NAME)
    # A new one each time: the image may have changed, and a Pod of before a reboot is dead.
    await cluster.delete(PODS, namespace, NAME, grace_seconds=0)
    while True:
        try:
            await cluster.create(PODS, namespace, pod(image, pull_policy))
            break
        except (AlreadyExists, Refused):  # it is going; the new namespace's account is coming
            await asyncio.sleep(0.2)
    async with asyncio.timeout(_PATIENCE):
        async for change in cluster.watch(PODS, namespace, fields=f"metadata.name={NAME}"):
            conditions = (change.object.get("status") or {}).get("conditions") or []
            if any(one["type"] == "Ready" and one["status"] == "True" for one in conditions):
                break
    return url(made["spec"]["clusterIP"])


async def _runner_image(cluster: Cluster) -> tuple[str, str]:
    """Return the runner image that this installation uses, and how it is pulled."""
    found = (await cluster.list(DEPLOYMENTS, None, labels=_OPERATOR)).items
    if not found:
        raise LookupError("Weir's operator is not installed in this cluster: run `make up`")
    (container, *_) = found[0]["spec"]["template"]["spec"]["containers"]
    values = {one["name"]: one.get("value", "") for one in container["env"]}
    return values["WEIR_RUNNER_IMAGE"], values["WEIR_RUNNER_PULL_POLICY"]
