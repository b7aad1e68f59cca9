"""How the script of an execution is named while it runs, and how it is shown.

Tracebacks look their lines up by the name of the file, and debuggers and coverage tools want the
real path. So a script of a file runs under its path, others under a name of their own; both are
shown as on a cluster, `hello.py`.
"""

from __future__ import annotations

import linecache
from dataclasses import dataclass
from typing import TYPE_CHECKING

from weir_runner import tracebacks

if TYPE_CHECKING:
    from weir_local.execution import Spec
    from weir_local.flows import Handler

_INLINE = "script.py"


@dataclass(frozen=True, slots=True)
class Script:
    """A script, ready to be run.

    Attributes:
        text: Python source; empty for a function.
        filename: How its frames are named.
        name: How it is shown.
        handler: The function, where there is no text.
    """

    text: str
    filename: str
    name: str
    handler: Handler | None = None

    def shown(self, text: str) -> str:
        """Return a text with the script named as it is shown."""
        return text if self.filename == self.name else text.replace(self.filename, self.name)


def of(spec: Spec) -> Script:
    """Return the script of an execution; an empty one for a connection. Raises LocalError."""
    if spec.flow is None:
        text = spec.script or ""
        return Script(text, _free_name(_INLINE, text), _INLINE)
    if spec.flow.handler is not None:
        filename = spec.flow.handler.__code__.co_filename
        return Script("", filename, spec.flow.shown_as, spec.flow.handler)
    text = spec.flow.source()
    if spec.flow.path is not None:
        return Script(text, str(spec.flow.path), spec.flow.shown_as)
    return Script(text, _free_name(spec.flow.shown_as, text), spec.flow.shown_as)


def _free_name(name: str, text: str) -> str:
    """Return the name, or one like it if it stands for another script already."""
    number, free = 1, name
    while (known := linecache.cache.get(free)) is not None and known[0] != len(text):
        number += 1
        free = f"<{number}>{name}"
    tracebacks.register(text, free)
    return free
