"""Which ended trees have been kept as objects for long enough."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from weir.api import durations
from weir.api.resource import Key


@dataclass(frozen=True, slots=True)
class Tree:
    """An Execution and all its descendants, all of them ended."""

    key: Key  # the root's namespace and name
    uid: str  # the root's
    ended: datetime  # when the last of them ended
    ttl: str  # how long it is kept, e.g. 24h

    def is_over(self, now: datetime) -> bool:
        """Whether its time is over."""
        return now >= self.ended + durations.parse(self.ttl)


def due(trees: Iterable[Tree], *, now: datetime, most: int) -> list[Tree]:
    """Return the trees to remove, the first to end first: those whose time is over, and of each
    namespace those beyond the `most` that ended last.
    """
    by_namespace: dict[str, list[Tree]] = {}
    for tree in trees:
        by_namespace.setdefault(tree.key[0], []).append(tree)
    removed: list[Tree] = []
    for kept in by_namespace.values():
        kept.sort(key=lambda tree: (tree.ended, tree.key))
        beyond = len(kept) - most
        removed += [tree for at, tree in enumerate(kept) if at < beyond or tree.is_over(now)]
    return sorted(removed, key=lambda tree: (tree.ended, tree.key))
