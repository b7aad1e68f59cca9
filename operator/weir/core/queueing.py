"""Whose turn it is: limits on runs at once, of one Flow and of the whole installation.

Counted is what is Starting or Running. A run that only waits does not count, or else parents would
starve the children that they wait for.
"""

import heapq
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

FlowKey = tuple[str, str]  # namespace and object name


class Place(StrEnum):
    """Whether limits let a run start."""

    FREE = "free"
    FLOW_LIMIT = "flow limit"
    CLUSTER_LIMIT = "cluster limit"


class Ticket(NamedTuple):
    """A run's place in the queue. The first in sorting order is the first to go."""

    rank: int  # minus its priority
    created: datetime
    uid: str
    flow: FlowKey | None = None


class Load(NamedTuple):
    """What runs now, and how much may."""

    active: Mapping[FlowKey, int]  # of each Flow
    total: int
    limits: Mapping[FlowKey, int]  # maxConcurrent of the Flows that have one
    cluster_limit: int = 0  # 0: none

    def of_flow(self, flow: FlowKey) -> int | None:
        """Return how many more runs of a Flow may start; None: no limit."""
        limit = self.limits.get(flow)
        return None if limit is None else max(limit - self.active.get(flow, 0), 0)

    @property
    def of_cluster(self) -> int | None:
        """How many more runs may start; None: no limit."""
        return max(self.cluster_limit - self.total, 0) if self.cluster_limit else None


def place_of(ticket: Ticket, waiting: Iterable[Ticket], load: Load) -> Place:
    """Return whether a run may start now, before all that wait with it."""
    of_flow = load.of_flow(ticket.flow) if ticket.flow else None
    if of_flow == 0:
        return Place.FLOW_LIMIT
    if load.of_cluster == 0:
        return Place.CLUSTER_LIMIT
    if of_flow is None and load.of_cluster is None:
        return Place.FREE
    ahead = [one for one in waiting if one < ticket]
    if ticket.uid in turns([*ahead, ticket], load):
        return Place.FREE
    return Place.FLOW_LIMIT if of_flow is not None else Place.CLUSTER_LIMIT


def turns(waiting: Iterable[Ticket], load: Load) -> list[str]:
    """Return the UIDs of the waiting runs that may start now, first come first.

    A run that its Flow holds back lets later ones of other Flows pass.
    """
    free, queue = load.of_cluster, list(waiting)
    heapq.heapify(queue)
    left: dict[FlowKey, int] = {}
    chosen: list[str] = []
    while queue and (free is None or len(chosen) < free):
        ticket = heapq.heappop(queue)
        if ticket.flow is not None and ticket.flow in load.limits:
            remaining = left.setdefault(ticket.flow, load.of_flow(ticket.flow) or 0)
            if remaining == 0:
                continue
            left[ticket.flow] = remaining - 1
        chosen.append(ticket.uid)
    return chosen
