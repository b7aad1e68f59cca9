"""`system`: what a script may ask of the installation around its own run."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flow_api._backend import Backend
    from flow_api._messages import Message


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

    def message(
        self,
        subject: str,
        message: str | None = None,
        *,
        request: str | None = None,
        body: dict[str, Any] | None = None,
        wait: bool = False,
        timeout: float | None = None,
        message_type: str | None = None,
    ) -> Message:
        """Ask people, or tell them something, without waiting for their answer.

        The parameters are those of `this.message`, but `wait` is False.

        Example:
            >>> message = system.message('The backup is done', 'It took **12 minutes**.')
            >>> message.wait().get('response')
            {'ok': True}
        """
        from flow_api._messages import send  # which needs this module

        sent = send(
            self._backend, subject, message, request=request, body=body, message_type=message_type
        )
        return sent.wait(timeout) if wait else sent
