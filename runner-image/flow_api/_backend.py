"""What stands behind `this`: a cluster's server, or a local stand-in with the same semantics.

The rest of flow_api knows this interface only. Whoever implements it sees to it that operations are
numbered in program order, that a `pending` answer is asked again, and that what a resumed run asks
twice is done once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from weir_protocol import Answer
    from weir_protocol.arguments import (
        JsonObject,
        OperationKind,
    )


class Backend(Protocol):
    """Performs what a script asks for."""

    def perform(self, kind: OperationKind, arguments: Any) -> Answer:
        """Do one operation and return its answer, `done` or `failed`, never `pending`.

        Parameters:
            kind: Which operation.
            arguments: The message class that `weir_protocol.ARGUMENTS` names for the kind.
        """
        ...

    def log(self, text: str, data: JsonObject | None) -> None:
        """Append an entry to the run's log. Never fails, never waits for an answer."""
        ...

    def hide(self, *secrets: Any) -> None:
        """Show these values as `***` in the log from now on."""
        ...
