"""What is there before something happens: flows, connectors, Secrets, quotas, people."""

from __future__ import annotations

import textwrap
from typing import Any

from pydantic.alias_generators import to_camel

from tests.e2e.world import World
from weir.api import names
from weir.api.resource import JsonObject
from weir.cluster.kinds import CONNECTORS, FLOWS, SECRETS, Kind

ROLE_BINDINGS = Kind("rbac.authorization.k8s.io", "v1", "rolebindings")
RESOURCE_QUOTAS = Kind("", "v1", "resourcequotas")

# A script that goes on when it is told (`when.told`): how a test holds a run where it wants it.
WAIT_FOR_GO = """\
import os, time

def wait_for_go():
    while not os.path.exists('/tmp/go'):
        time.sleep(0.05)

"""


class Given:
    """Makes things in the test's namespace."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def flow(self, name: str, script: str, *, checked: bool = True, **spec: Any) -> None:
        """Create a Flow (spec fields by their Python names), and wait until it was looked at."""
        await self._create(FLOWS, "Flow", name, {"script": source(script)} | camel(spec))
        if checked:
            await self.looked_at(FLOWS, name)

    async def connector(self, name: str, type_: str, **spec: Any) -> None:
        """Create a Connector, and wait until it was looked at."""
        await self._create(CONNECTORS, "Connector", name, {"type": type_} | camel(spec))
        await self.looked_at(CONNECTORS, name)

    async def secret(self, name: str, **values: str) -> None:
        """Create a Secret."""
        body = {"metadata": {"name": name}, "stringData": values}
        await self._world.cluster.create(SECRETS, self._world.namespace, body)

    async def quota(self, **hard: str) -> None:
        """Limit what the namespace may hold, and wait until the limit is in force."""
        world = self._world
        limits = {key.replace("_", "."): value for key, value in hard.items()}
        body = {"metadata": {"name": "limits"}, "spec": {"hard": limits}}
        await world.cluster.create(RESOURCE_QUOTAS, world.namespace, body)
        async for change in world.cluster.watch(RESOURCE_QUOTAS, world.namespace):
            if change.object and (change.object.get("status") or {}).get("hard") == limits:
                return

    async def role(self, user: str, role: str) -> None:
        """Bind one of Weir's ClusterRoles to a person, in this namespace."""
        world = self._world
        api_group = "rbac.authorization.k8s.io"
        body = {
            "metadata": {"name": f"{user}-{role}"},
            "roleRef": {"apiGroup": api_group, "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": api_group, "kind": "User", "name": user}],
        }
        await world.cluster.create(ROLE_BINDINGS, world.namespace, body)

    async def looked_at(self, kind: Kind, name: str, within: float = 30) -> None:
        """Wait until the operator has said what it thinks of the newest generation."""

        def is_so() -> bool:
            found = self._world.history.current(kind, name)
            if found is None:
                return False
            status = found.get("status") or {}
            return bool(status.get("observedGeneration") == found["metadata"]["generation"])

        await self._world.history.until(
            is_so, within=within, what=f"the operator to look at {kind.plural}/{name}"
        )

    async def _create(self, kind: Kind, kind_name: str, name: str, spec: JsonObject) -> None:
        body = {
            "apiVersion": names.API_VERSION,
            "kind": kind_name,
            "metadata": {"name": name},
            "spec": spec,
        }
        await self._world.cluster.create(kind, self._world.namespace, body)


def source(script: str) -> str:
    """Return a script written inside a test without its indentation."""
    return textwrap.dedent(script).lstrip("\n")


def camel(spec: dict[str, Any]) -> JsonObject:
    """Return spec fields under the names that the API has: `max_concurrent` is `maxConcurrent`."""
    return {to_camel(name): value for name, value in spec.items()}
