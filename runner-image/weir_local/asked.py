"""What every operation knows: who asks, under which number, and what there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from weir_local.errors import denied, not_found

if TYPE_CHECKING:
    from weir_local.execution import Execution
    from weir_local.services import Services
    from weir_local.world import World


@dataclass(frozen=True, slots=True)
class Asked:
    """One operation of a script."""

    services: Services
    execution: Execution
    sequence: int

    @property
    def world(self) -> World:
        """All executions."""
        return self.services.world

    @property
    def now(self) -> float:
        """Unix time."""
        return self.services.world.clock.now()

    def found(self, uid: str) -> Execution:
        """Return an execution of the asking one's own tree. Raises Raises."""
        known = self.world.executions.get(uid)
        if known is None:
            raise not_found(f"there is no execution {uid[:64]!a}: it was deleted, or never was")
        return self.same_tree(known)

    def same_tree(self, other: Execution) -> Execution:
        """Return the execution if it is of the asking one's own tree. Raises Raises."""
        if other.root is not self.execution.root:
            raise denied(f"execution {other.name} is not of the tree of {self.execution.name}")
        return other
