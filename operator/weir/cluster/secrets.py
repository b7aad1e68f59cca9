"""Reads Secrets."""

from __future__ import annotations

import base64
import binascii

from weir.cluster.client import Cluster
from weir.cluster.errors import NotFound
from weir.cluster.kinds import SECRETS


async def data_of(cluster: Cluster, namespace: str, name: str) -> dict[str, bytes] | None:
    """Return the data of a Secret, decoded; None when it is not there. Raises ClusterError."""
    try:
        item = await cluster.get(SECRETS, namespace, name)
    except NotFound:
        return None
    decoded = {}
    for key, value in (item.get("data") or {}).items():
        try:
            decoded[key] = base64.b64decode(value or "")
        except binascii.Error:  # the API server would not have taken it
            continue
    return decoded
