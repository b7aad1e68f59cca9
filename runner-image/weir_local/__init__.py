"""Flows without a cluster: a backend of flow_api that runs each execution in a thread of this
process, with the semantics of the server.

`run` is the short way; `weir run FILE` and `flow_api.testing` are made of `Local`.
"""

from weir_local.connections import (
    Connections,
    Connector,
    Prepared,
    RealConnections,
    Scripted,
    ScriptedConnections,
)
from weir_local.errors import LocalError, NothingHappens
from weir_local.flows import Flow, Flows, Source, flow
from weir_local.local import Local, run
from weir_local.result import Result

__all__ = [
    "Connections",
    "Connector",
    "Flow",
    "Flows",
    "Local",
    "LocalError",
    "NothingHappens",
    "Prepared",
    "RealConnections",
    "Result",
    "Scripted",
    "ScriptedConnections",
    "Source",
    "flow",
    "run",
]
