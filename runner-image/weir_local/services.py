"""What local runs work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from weir_local.connections import Connections
from weir_local.execution import Execution
from weir_local.flows import Flows
from weir_local.people import People, Question
from weir_local.store import Store
from weir_local.world import World
from weir_protocol import LogLine


@dataclass(frozen=True, kw_only=True)
class Services:
    """The flows, connections and executions of one process."""

    world: World
    flows: Flows
    connections: Connections
    people: People
    store: Store = field(default_factory=Store)
    questions: dict[str, Question] = field(default_factory=dict)
    listen: Callable[[Execution, LogLine], None] | None = None  # hears each line of every log
    namespace: str = "default"
    environment: str = ""
    user: str = ""
