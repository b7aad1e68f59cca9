"""The server's certificate, from its Secret; and which client certificates it believes."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import ssl

from weir.api.resource import JsonObject
from weir.cluster.client import Cluster
from weir.cluster.errors import ClusterError, NotFound, Refused
from weir.cluster.kinds import CONFIG_MAPS, SECRETS
from weir.cluster.watching import ChangeType

logger = logging.getLogger(__name__)

# Where Kubernetes publishes the CA of client certificates.
_CLIENT_CA = ("kube-system", "extension-apiserver-authentication", "client-ca-file")
_RETRY_SECONDS = 2.0


class Certificates:
    """An SSL context that follows its Secret. `ready` is set once it can serve."""

    def __init__(self, cluster: Cluster, namespace: str, secret: str) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._secret = secret
        self.ready = asyncio.Event()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2

    async def follow(self) -> None:
        """Load the Secret, and load it again whenever it changes. Never returns."""
        await self._trust_clients()
        logger.info("Waiting for the certificate", extra={"secret": self._secret})
        async for change in self._cluster.watch(
            SECRETS, self._namespace, fields=f"metadata.name={self._secret}"
        ):
            if change.type in (ChangeType.ADDED, ChangeType.MODIFIED):
                self._load(change.object)

    def _load(self, secret: JsonObject) -> None:
        data = secret.get("data") or {}
        try:
            certificate, key = (base64.b64decode(data[name]) for name in ("tls.crt", "tls.key"))
            load(self.context, certificate, key)
        except (KeyError, ValueError, ssl.SSLError) as error:
            logger.error(
                "Certificate not usable", extra={"secret": self._secret, "error": repr(error)}
            )
            return
        logger.info("Certificate loaded", extra={"secret": self._secret})
        self.ready.set()

    async def _trust_clients(self) -> None:
        namespace, name, key = _CLIENT_CA
        while True:
            try:
                found = await self._cluster.get(CONFIG_MAPS, namespace, name)
                break
            except (NotFound, Refused) as error:
                logger.warning(
                    "Client certificates are not accepted", extra={"error": error.message[:300]}
                )
                return
            except ClusterError:
                await asyncio.sleep(_RETRY_SECONDS)
        authorities = (found.get("data") or {}).get(key)
        if authorities:
            self.context.load_verify_locations(cadata=authorities)
            self.context.verify_mode = ssl.CERT_OPTIONAL


def load(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Load a certificate and its key, both PEM, without a file on disk.

    Raises ssl.SSLError, ValueError.
    """
    files = []
    try:
        for content in (certificate, key):
            file = os.memfd_create("weir-tls", os.MFD_CLOEXEC)
            files.append(file)
            os.write(file, content)
        paths = [f"/proc/self/fd/{file}" for file in files]
        # A certificate whose key does not fit would stay in the context: tried elsewhere first.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*paths)
        context.load_cert_chain(*paths)
    finally:
        for file in files:
            os.close(file)
