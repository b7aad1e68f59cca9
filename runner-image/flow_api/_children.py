"""How the arguments of `this.flow(…)` and its relatives become the message that creates a child."""

from __future__ import annotations

import keyword
from collections.abc import Iterable
from typing import Any

from flow_api._system import ReturnWhen
from flow_api._values import checked_object, printable
from weir_protocol.arguments import (
    ChildArguments,
)

# Fields of the new execution that `init={…}` may give as well.
_INIT = ("input_value", "name", "orphan", "protect_inputs", "protect_outputs")


def child_arguments(
    target: dict[str, str | None],
    *,
    inputs: dict[str, Any] | None,
    more_inputs: dict[str, Any],
    name: str | None,
    run: bool,
    orphan: bool,
    protect_inputs: Iterable[str],
    protect_outputs: Iterable[str],
    init: dict[str, Any] | None,
) -> ChildArguments:
    """Return the message. Of inputs given twice the keyword holds, then `inputs`, then `init`.

    Raises:
        TypeError: An argument has the wrong type, or an input is no JSON value.
    """
    init = dict(init or {})
    for key in init:
        if key not in _INIT:
            raise TypeError(f"init has no field {key!r}; it may hold {', '.join(_INIT)}")
    if all(value is None for value in target.values()):
        raise TypeError(f"{' or '.join(target).replace('_', ' ')} must be given, not None")
    for kind, value in target.items():
        if value is not None and (not isinstance(value, str) or not value.strip()):
            raise TypeError(f"{kind.replace('_', ' ')} must be a text that is not empty: {value!r}")
    title = name if name is not None else init.get("name")
    return ChildArguments(
        **target,
        inputs={
            **checked_object(init.get("input_value"), "init['input_value']"),
            **checked_object(inputs, "inputs"),
            **checked_object(more_inputs, "inputs"),
        },
        title=None if title is None else printable(str(title)),
        run=bool(run),
        orphan=bool(orphan or init.get("orphan", False)),
        protect_inputs=_keys(protect_inputs or init.get("protect_inputs", ()), "protect_inputs"),
        protect_outputs=_keys(
            protect_outputs or init.get("protect_outputs", ()), "protect_outputs"
        ),
    )


def one_name(name: str | None, name_: str | None) -> str | None:
    """Return the name of a child, given under either spelling. Raises TypeError for both."""
    if name is not None and name_ is not None:
        raise TypeError("name and name_ are the same: give one of them")
    return name if name_ is None else name_


def connection_inputs(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return keyword inputs under their real names: `from_` is `from`, which Python reserves."""
    return {
        key[:-1] if key.endswith("_") and keyword.iskeyword(key[:-1]) else key: value
        for key, value in inputs.items()
    }


def return_when(wait: bool | str) -> ReturnWhen | None:
    """Return how to wait: True is ALL_SUCCEEDED, False not at all.

    Raises:
        ValueError: It is none of the known ways.
    """
    if isinstance(wait, bool):
        return ReturnWhen.ALL_SUCCEEDED if wait else None
    try:
        return ReturnWhen(wait)
    except ValueError:
        raise ValueError(
            f"{wait!r} is no way to wait; use True, False or one of system.return_when: "
            f"{', '.join(ReturnWhen)}"
        ) from None


def _keys(keys: Iterable[str], where: str) -> list[str]:
    found = [keys] if isinstance(keys, str) else list(keys)
    for key in found:
        if not isinstance(key, str):
            raise TypeError(f"{where} holds {key!r}; it is a list of input or output names")
    return found
