"""What a connection type must have, and what it is given while it runs.

A connection type is an object with the attributes of `ConnectorType`. Its input model is a
dataclass:

    @dataclass(frozen=True, kw_only=True)
    class EchoInputs:
        text: str = field(metadata=about("What to say."))
        token: str | None = field(default=None, metadata=about("Who says it.", secret=True))
        url: str = field(default="https://example.com", metadata=about("Where.", transport=True))

        def problems(self) -> Iterator[Problem]:   # optional: what the annotations cannot say
            if not self.text:
                yield Problem("text", "at least one character")

Of Weir's own types the server asks the model alone, which therefore also has `repeatable()`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol


def _no_log(text: str) -> None:
    pass


def _never() -> bool:
    return False


def _no_secret(text: str) -> None:
    pass


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """The ways from a running connection back to its run.

    `log` takes one line of text for people, free of secrets. `cancelled` says whether the run is
    to stop; it is asked several times per second, so it must be cheap. `hide` takes a text that
    is made of secrets, or is part of one, and that is to be removed from log, message and outputs
    as the values of `secret_inputs` are: these are names of inputs. `save_file` keeps bytes as a
    file that scripts share, by its name, and raises ConnectionFailed; None: there are no files.
    `uid` and `try_number` are the run's identity, the same in every attempt of one try. No `uid`:
    the connection belongs to no run.
    """

    log: Callable[[str], None] = _no_log
    cancelled: Callable[[], bool] = _never
    hide: Callable[[str], None] = _no_secret
    secret_inputs: frozenset[str] = frozenset()
    save_file: Callable[[str, bytes], None] | None = None
    uid: str = ""
    try_number: int = 1


class ConnectorType(Protocol):
    """A connection type.

    Importing its module may import protocol libraries only if it is one of Weir's own.
    """

    @property
    def name(self) -> str:
        """How scripts and Connectors call it: upper case, as `GIT`."""
        ...

    @property
    def Inputs(self) -> type[Any]:
        """The dataclass that describes the inputs."""
        ...

    @property
    def transport_inputs(self) -> frozenset[str]:
        """Inputs that say where secrets are sent, and how safely."""
        ...

    def repeatable(self, inputs: dict[str, Any]) -> bool:
        """Whether a run that has begun may be run again after its Pod was lost."""
        ...

    def run(self, inputs: dict[str, Any], context: Context) -> dict[str, Any]:
        """Connect, and return the outputs as a JSON object.

        Raises:
            InputError: the inputs do not fit; nothing was done.
            ConnectionFailed: the other side failed or refused.
        """
        ...
