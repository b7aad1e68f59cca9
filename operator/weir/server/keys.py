"""The cluster's public keys, with which service account tokens are checked."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import jwt

from weir.cluster.client import Cluster
from weir.cluster.errors import ClusterError

logger = logging.getLogger(__name__)

# A key that was taken back is refused after this long.
_MAX_AGE = 300.0
# Tokens with made-up key ids must not make the server ask all the time.
_MIN_AGE = 10.0

DISCOVERY = "/.well-known/openid-configuration"
KEYS = "/openid/v1/jwks"


class Keys:
    """The keys and the issuer that the API server publishes, fetched when needed."""

    def __init__(self, cluster: Cluster, clock: Callable[[], float] = time.monotonic) -> None:
        self._cluster = cluster
        self._clock = clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched: float | None = None
        self._asked: float | None = None
        self._lock = asyncio.Lock()
        self.issuer = ""

    async def find(self, key_id: str) -> jwt.PyJWK | None:
        """Return the key of that id; None when the cluster has none. Raises ClusterError when the
        keys were never read.
        """
        if not self._is_fresh() or key_id not in self._keys:
            async with self._lock:
                if (not self._is_fresh() or key_id not in self._keys) and self._may_ask():
                    await self._fetch()
        if self._fetched is None:
            raise ClusterError("the cluster's keys could not be read yet")
        return self._keys.get(key_id)

    def _is_fresh(self) -> bool:
        return self._fetched is not None and self._clock() - self._fetched < _MAX_AGE

    def _may_ask(self) -> bool:
        # Until there are any, every request is a reason to ask.
        if self._fetched is None or self._asked is None:
            return True
        return self._clock() - self._asked >= _MIN_AGE

    async def _fetch(self) -> None:
        self._asked = self._clock()
        try:
            configuration = await self._cluster.raw("GET", DISCOVERY)
            published = await self._cluster.raw("GET", KEYS)
        except ClusterError as error:
            # Old keys are better than none: the API server may be restarting.
            logger.warning("Keys not read", extra={"error": error.message[:300]})
            return
        self.issuer = configuration["issuer"]
        self._keys = {
            key["kid"]: jwt.PyJWK.from_dict(key) for key in published["keys"] if "kid" in key
        }
        self._fetched = self._clock()
