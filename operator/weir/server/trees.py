"""Which Executions belong together: a script reaches those of its own tree."""

from __future__ import annotations

from weir.api.execution import Execution
from weir.server import raising


def is_uid(text: str) -> bool:
    """Whether a text may be a UID at all; any other is not even looked up."""
    return 0 < len(text) <= 64 and text.isascii() and text.isprintable()


def require_same_tree(own: Execution, other: Execution) -> None:
    """Raise what a script sees when it reaches for an Execution of another tree, or namespace.

    Raises Raises: ResourceNotFoundError across namespaces, PermissionDenied across trees.
    """
    if own.metadata.namespace != other.metadata.namespace:
        raise raising.not_found(f"there is no execution {other.uid} in this namespace")
    if own.root != other.root:
        raise raising.denied(
            f"execution {other.metadata.name} is not of the tree of {own.metadata.name}"
        )
