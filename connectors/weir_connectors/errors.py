"""What can be wrong with a connection.

    ValueError
    └─ InputError            the inputs do not fit the connection type; nothing was done yet
        ├─ MissingInputError
        ├─ InvalidInputError
        └─ ExtraInputError
    ConnectionFailed         the other side refused, could not be reached, or answered with too much
    └─ ConnectionCancelled   given up because the run is to be cancelled
    LookupError
    └─ UnknownTypeError      there is no connection type of that name

The texts are for people and for logs: they hold no values of inputs, and what came from outside
is cut and scrubbed.
"""

from __future__ import annotations

from typing import Any


class InputError(ValueError):
    """The inputs of a connection do not fit its type."""


class MissingInputError(InputError):
    """An input that the connection type needs was not given."""


class InvalidInputError(InputError):
    """An input has the wrong type or a value that cannot be used."""


class ExtraInputError(InputError):
    """An input is not known to the connection type."""


class ConnectionFailed(Exception):
    """The connection was tried and failed; the text says what, where, and what to do.

    `outputs` is what there is all the same, as a JSON object: what a script printed before it
    failed, or the answer that was not expected. They become the outputs of the failed run.
    """

    def __init__(self, text: str, *, outputs: dict[str, Any] | None = None) -> None:
        super().__init__(text)
        self.outputs = outputs


class ConnectionCancelled(ConnectionFailed):
    """The connection was given up because its run is to be cancelled."""


class UnknownTypeError(LookupError):
    """There is no connection type of that name."""
