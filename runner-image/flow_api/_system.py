"""`system`: what a script may ask of the installation around its own run."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flow_api._backend import Backend


class ReturnWhen(enum.StrEnum):
    """When a wait for several executions returns."""

    ALL_SUCCEEDED = "ALL_SUCCEEDED"  # all succeeded; raises as soon as one ends badly
    ALL_ENDED = "ALL_ENDED"  # all ended, however; does not raise
    FIRST_ENDED = "FIRST_ENDED"  # at least one ended, however; does not raise


class System:
    """The first argument of every handler.

    Attributes:
        return_when: The ways to wait, for `this.wait_for` and for `wait=`.

    Example:
        >>> child = this.flow('may fail', wait=system.return_when.ALL_ENDED)
        >>> child.get('status')
        'ENDED_ERROR'
    """

    __slots__ = ("_backend", "_environment", "_user")

    return_when = ReturnWhen

    def __init__(self, backend: Backend, *, environment: str = "", user: str = "") -> None:
        self._backend = backend
        self._environment = environment
        self._user = user
