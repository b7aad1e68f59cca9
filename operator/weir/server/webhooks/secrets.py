"""The Secrets of Webhooks: read when they are needed, and kept for some seconds."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from weir.api.connector import SecretKeyRef
from weir.cluster.client import Cluster
from weir.cluster.errors import ClusterError, Refused
from weir.cluster.secrets import data_of

# A key that was changed holds for so long.
_SECONDS = 5.0
_MOST = 1000


class HookSecrets:
    """Reads keys of Secrets."""

    def __init__(self, cluster: Cluster, clock: Callable[[], float] = time.monotonic) -> None:
        self._cluster = cluster
        self._clock = clock
        self._known: OrderedDict[tuple[str, str], tuple[float, dict[str, bytes] | None]] = (
            OrderedDict()
        )

    async def find(self, namespace: str, reference: SecretKeyRef) -> bytes | None:
        """Return a secret; None when it is not there, or empty. Raises ClusterError when the API
        server does not say, and did not lately.
        """
        data = await self._data(namespace, reference.name)
        # Made by `echo` or an editor, it ends in a line break that nobody meant.
        return (data or {}).get(reference.key, b"").rstrip(b"\r\n") or None

    async def _data(self, namespace: str, name: str) -> dict[str, bytes] | None:
        key = (namespace, name)
        until, known = self._known.get(key, (None, None))
        if until is not None and self._clock() < until:
            return known
        try:
            found = await data_of(self._cluster, namespace, name)
        except Refused:
            found = None  # no right to read it
        except ClusterError:
            if until is None:
                raise
            found = known
        self._known[key] = (self._clock() + _SECONDS, found)
        self._known.move_to_end(key)
        while len(self._known) > _MOST:
            self._known.popitem(last=False)
        return found
