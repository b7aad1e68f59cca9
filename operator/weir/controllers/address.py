"""Where runners find Weir's server: host and port, without any need for cluster DNS."""

import asyncio
import logging

from weir.api.resource import JsonObject
from weir.cluster.client import Cluster
from weir.cluster.errors import ClusterError
from weir.cluster.kinds import SERVICES

logger = logging.getLogger(__name__)

_RETRY = 1.0
_CHECK_EVERY = 60.0


class ServerAddress:
    """The address of the server's Service, or a fixed one."""

    def __init__(self, cluster: Cluster, *, namespace: str, service: str, fixed: str = "") -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._service = service
        self._is_fixed = bool(fixed)
        self.value = fixed
        """host:port; empty before `find`."""

    async def find(self) -> None:
        """Look the address up, again and again until there is one."""
        while not self._is_fixed:
            try:
                service = await self._cluster.get(SERVICES, self._namespace, self._service)
                self.value = address_of(service)
                return
            except (ClusterError, LookupError) as error:
                logger.warning("No address of the server yet", extra={"error": str(error)[:300]})
                await asyncio.sleep(_RETRY)

    async def run(self) -> None:
        """Keep the address true until cancelled: a Service may be made anew."""
        while True:
            await asyncio.sleep(_CHECK_EVERY)
            await self.find()


def address_of(service: JsonObject) -> str:
    """Return a Service's host:port; raises LookupError when it has none."""
    spec = service.get("spec") or {}
    host, ports = spec.get("clusterIP"), spec.get("ports") or []
    if host in (None, "", "None") or not ports:
        raise LookupError(f"the Service {service['metadata']['name']} has no clusterIP and port")
    port = next((one for one in ports if one.get("name") == "https"), ports[0])["port"]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
