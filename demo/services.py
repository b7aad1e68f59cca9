"""What the examples connect to, served inside the cluster: they need no internet."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from weir.api.resource import JsonObject
from weir.cluster.client import Cluster
from weir.cluster.errors import AlreadyExists, Refused
from weir.cluster.kinds import PODS, SERVICES, Kind

DEPLOYMENTS = Kind("apps", "v1", "deployments")
_OPERATOR = "app.kubernetes.io/name=weir,app.kubernetes.io/component=operator"
_PATIENCE = 60.0


@dataclass(frozen=True)
class Service:
    """One Pod of Weir's runner image, and the Service before it.

    `public` is what an example has in its manifest; `scheme` and `path` are of the address that
    takes its place. Without a scheme it is the bare host. `target_port` is the Pod's own port,
    where it is another.
    """

    name: str
    port: int
    command: tuple[str, ...]
    public: str
    scheme: str
    path: str = ""
    target_port: int | None = None

    def url(self, address: str) -> str:
        """Return what takes the place of `public`, given the Service's address."""
        return f"{self.scheme}://{address}:{self.port}{self.path}" if self.scheme else address

    @property
    def labels(self) -> dict[str, str]:
        """The labels of Pod and Service."""
        return {"app.kubernetes.io/name": self.name, "app.kubernetes.io/part-of": "weir-demo"}

    @property
    def _pod_port(self) -> int:
        return self.target_port or self.port

    def service(self) -> JsonObject:
        """Return the Service's manifest."""
        return {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": self.name, "labels": self.labels},
            "spec": {
                "selector": self.labels,
                "ports": [{"port": self.port, "targetPort": self._pod_port}],
            },
        }

    def pod(self, image: str, pull_policy: str) -> JsonObject:
        """Return the Pod's manifest."""
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": self.name, "labels": self.labels},
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
                        "name": self.name,
                        "image": image,
                        "imagePullPolicy": pull_policy,
                        "command": list(self.command),
                        "env": [{"name": "HOME", "value": "/tmp"}],
                        "ports": [{"containerPort": self._pod_port}],
                        "readinessProbe": {
                            "tcpSocket": {"port": self._pod_port},
                            "periodSeconds": 1,
                        },
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


async def served(cluster: Cluster, namespace: str, service: Service) -> str:
    """Serve it in the namespace, unless it is, and return its URL."""
    image, pull_policy = await _runner_image(cluster)
    name = service.name
    try:
        made = await cluster.create(SERVICES, namespace, service.service())
    except AlreadyExists:
        made = await cluster.get(SERVICES, namespace, name)
    # A new one each time: the image may have changed, and a Pod of before a reboot is dead.
    await cluster.delete(PODS, namespace, name, grace_seconds=0)
    while True:
        try:
            await cluster.create(PODS, namespace, service.pod(image, pull_policy))
            break
        except (AlreadyExists, Refused):  # it is going; the new namespace's account is coming
            await asyncio.sleep(0.2)
    async with asyncio.timeout(_PATIENCE):
        async for change in cluster.watch(PODS, namespace, fields=f"metadata.name={name}"):
            conditions = (change.object.get("status") or {}).get("conditions") or []
            if any(one["type"] == "Ready" and one["status"] == "True" for one in conditions):
                break
    return service.url(made["spec"]["clusterIP"])


async def _runner_image(cluster: Cluster) -> tuple[str, str]:
    """Return the runner image that this installation uses, and how it is pulled."""
    found = (await cluster.list(DEPLOYMENTS, None, labels=_OPERATOR)).items
    if not found:
        raise LookupError("Weir's operator is not installed in this cluster: run `make up`")
    (container, *_) = found[0]["spec"]["template"]["spec"]["containers"]
    values = {one["name"]: one.get("value", "") for one in container["env"]}
    return values["WEIR_RUNNER_IMAGE"], values["WEIR_RUNNER_PULL_POLICY"]
