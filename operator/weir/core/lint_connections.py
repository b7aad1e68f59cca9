"""Checks of connections whose type stands in the script: their inputs."""

import ast
import dataclasses
import inspect
import keyword
from collections.abc import Iterator

import flow_api
from weir.core.lint_rules import Finding
from weir.core.lint_script import Script, finding
from weir_connectors import registry
from weir_connectors.errors import UnknownTypeError
from weir_runner import spelling


def inputs(script: Script) -> Iterator[Finding]:
    """W116: a type that is not there, inputs that it does not know, inputs that it needs."""
    own = set(inspect.signature(flow_api.Execution.connect).parameters)
    for call in script.calls():
        match call.func:
            case ast.Attribute(value=owner, attr="connect" | "task" as name) if script.is_this(
                owner
            ):
                kind = _type(call, name)
                # INPUT is no connection: it asks people.
                if isinstance(kind.value, str) and kind.value.upper() != "INPUT":
                    yield from _of_type(call, kind, own, alone=name == "task" or not call.args)


def _type(call: ast.Call, name: str) -> ast.Constant:
    """Return the type as it stands in the call; a constant None where it does not."""
    given = [one.value for one in call.keywords if one.arg == "connector_type"]
    if name == "task":
        given = list(call.args[:1])
    return given[0] if given and isinstance(given[0], ast.Constant) else ast.Constant(None)


def _of_type(
    call: ast.Call, kind: ast.Constant, own: set[str], *, alone: bool
) -> Iterator[Finding]:
    name = str(kind.value)
    try:
        fields = dataclasses.fields(registry.input_model(name))
    except UnknownTypeError:
        near = spelling.close_to(name, registry.names())
        there = f"there are {', '.join(registry.names())}"
        help_ = f"did you mean {near!r}? {there}" if near else there
        yield finding("W116", kind, f"there is no connection type {name!r}", help_)
        return
    known = [field.name for field in fields]
    given = set()
    for one in call.keywords:
        if one.arg is None or one.arg in own:
            alone = alone and one.arg not in (None, "inputs", "init")
            continue
        said = one.arg[:-1] if keyword.iskeyword(one.arg.rstrip("_")) else one.arg
        given.add(said)
        if said not in known:
            near = spelling.close_to(said, known)
            help_ = f"did you mean `{near}=`?" if near else f"it knows {', '.join(known)}"
            yield finding("W116", one, f"a {name} connection has no input {said!r}", help_)
    needed = [
        field.name
        for field in fields
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    missing = [one for one in needed if one not in given]
    if alone and missing:
        yield finding(
            "W116",
            call,
            f"a {name} connection needs {', '.join(f'`{one}`' for one in missing)}",
            "give it here, or name a Connector that has it first",
        )
