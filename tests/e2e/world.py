"""What a test works in: a namespace of its own in a cluster with Weir."""

from __future__ import annotations

from dataclasses import dataclass

from tests.e2e.history import History
from tests.e2e.installation import Installation
from weir.cluster.client import Cluster


@dataclass(frozen=True)
class World:
    """The cluster as its administrator sees it, one namespace, and what was seen of it."""

    cluster: Cluster
    namespace: str
    history: History
    installation: Installation
