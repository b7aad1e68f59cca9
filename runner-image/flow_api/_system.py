"""`system`: what a script may ask of the installation around its own run."""

from __future__ import annotations

import enum


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

    return_when = ReturnWhen
