"""A key that is not there: whose keys they are, and which ones there are."""

from __future__ import annotations

import linecache
from typing import TYPE_CHECKING, Any

from flow_api import Execution
from flow_api._fields import VALUES
from weir_runner import spelling

if TYPE_CHECKING:
    import ast
    from types import FrameType, TracebackType

# As many keys are shown, and as much of each.
MAX_KEYS = 10
MAX_KEY = 40

_ENDED = "ENDED_"


def missing_key(error: KeyError, filename: str) -> str | None:
    """Return what is there instead of a key that the script asked a dict for."""
    (key,) = error.args or (None,)
    entry = error.__traceback__
    while entry is not None and entry.tb_next is not None:
        entry = entry.tb_next
    if not isinstance(key, str) or entry is None:
        return None
    if entry.tb_frame.f_code.co_filename != filename:
        return _of_environment(entry, key)
    asked = _expression(entry, filename)
    if asked is None:
        return None
    owner, field, found = _found(asked, entry.tb_frame)
    if owner is None and _reads_outputs(asked):
        return "such an output is not there: did the child's handler return it in a dict?"
    if type(found) is not dict or key in found:
        return None
    if owner is not None:
        return _of_execution(owner, field, found, key)
    near = spelling.close_to(key, found)
    return f"did you mean {near!r}?" if near else None


def _of_execution(owner: Execution, field: str, found: dict[Any, Any], key: str) -> str:
    name = f"{owner.get('name')!r}"[: 2 * MAX_KEY]
    near = spelling.close_to(key, found)
    meant = f"did you mean {near!r}? " if near else ""
    if field == "input_value":
        if not found:
            return f"the run was given no inputs: `weir run FLOW --input {key}=…`"
        return f"{meant}the run was given the inputs {_keys(found)}"
    if not owner._own and not owner._view.status.startswith(_ENDED):
        return f"{name} has not ended: wait for it before you read its outputs"
    if not found:
        return (
            f"{name} has no outputs: its handler is to return a dict or call `this.set_output(…)`"
        )
    return f"{meant}the outputs of {name} are {_keys(found)}"


def _of_environment(entry: TracebackType, key: str) -> str | None:
    import os

    if entry.tb_frame.f_locals.get("self") is not os.environ:
        return None
    near = spelling.close_to(key, os.environ)
    if near is not None:
        return f"did you mean {near!r}?"
    return f"environment variables come by the Flow's `runner: {{env: [{{name: {key}, …}}]}}`"


def _keys(found: dict[Any, Any]) -> str:
    shown = [repr(key)[:MAX_KEY] for key in list(found)[:MAX_KEYS]]
    more = len(found) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _expression(entry: TracebackType, filename: str) -> ast.expr | None:
    """Return what stands before the bracket, `x` of `x['key']`."""
    import ast

    positions = list(entry.tb_frame.f_code.co_positions())[entry.tb_lasti // 2]
    first, last, start, end = positions
    if first is None or last is None or start is None or end is None:
        return None
    lines = [linecache.getline(filename, number).encode() for number in range(first, last + 1)]
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][start:]
    try:
        parsed = ast.parse(b"(" + b"".join(lines) + b")", mode="eval").body
    except SyntaxError:
        return None
    return parsed.value if isinstance(parsed, ast.Subscript) else None


def _found(asked: ast.expr, frame: FrameType) -> tuple[Execution | None, str, Any]:
    """Return the dict, and whose field it is. Nothing of it is evaluated: a name is looked up, a
    field of an execution is read as it was last seen.
    """
    import ast

    match asked:
        case ast.Name():
            value = _value(asked, frame)
            return *_owner(value, frame), value
        case ast.Call(
            func=ast.Attribute(value=ast.Name() as name, attr="get" | "load"),
            args=[ast.Constant(value=str(field))],
        ) if field in VALUES:
            owner = _value(name, frame)
            if type(owner) is Execution:
                return owner, field, owner.get(field) if _is_known(owner, field) else None
    return None, "", None


def _reads_outputs(asked: ast.expr) -> bool:
    """Whether this is `….get('output_value')`, of a run that has no name to look it up by."""
    import ast

    match asked:
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value="output_value")]):
            return True
    return False


def _value(name: ast.Name, frame: FrameType) -> Any:
    return frame.f_locals.get(name.id, frame.f_globals.get(name.id))


def _is_known(owner: Execution, field: str) -> bool:
    """Whether reading the field asks the server for nothing."""
    ended = owner._view.status.startswith(_ENDED) and not owner._own
    return not ended or field in owner._unsaved or getattr(owner._view, field) is not None


def _owner(value: Any, frame: FrameType) -> tuple[Execution | None, str]:
    """Return which execution, of those that the frame knows, has this dict in a field."""
    for one in [*frame.f_locals.values(), *frame.f_globals.values()]:
        if type(one) is Execution:
            for field in VALUES:
                if getattr(one._view, field) is value or one._unsaved.get(field) is value:
                    return one, field
    return None, ""
