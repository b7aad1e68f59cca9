"""What local runs work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from weir_local.connections import Connections
from weir_local.execution import Execution
from weir_local.flows import Flows
from weir_local.world import World
from weir_protocol import LogLine


@dataclass(frozen=True, kw_only=True)
class Services:
    """The flows, connections and executions of one process."""

    world: World
    flows: Flows
    connections: Connections
    listen: Callable[[Execution, LogLine], None] | None = None  # hears each line of every log
    namespace: str = "default"
    environment: str = ""
    user: str = ""
