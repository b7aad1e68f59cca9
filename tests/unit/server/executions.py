"""Builds Executions that show only what matters."""

from typing import Any

from weir.api.execution import Execution


def execution(
    name: str = "run-1", *, spec: Any = None, status: Any = None, **metadata: Any
) -> Execution:
    """Return an Execution of a script, Starting, unless told otherwise."""
    return Execution.model_validate(
        {
            "metadata": {
                "name": name,
                "namespace": "team",
                "uid": f"uid-{name}",
                "resourceVersion": "1",
                **metadata,
            },
            "spec": spec or {"script": "def handler(system, this): pass"},
            "status": {"phase": "Starting", **(status or {})},
        }
    )
