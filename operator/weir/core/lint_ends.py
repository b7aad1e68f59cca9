"""Checks of how a run ends, and of what comes out of it."""

import ast
import itertools
from collections.abc import Iterator

from weir.core.lint_rules import Finding
from weir.core.lint_script import Function, Script, finding, source
from weir_runner import conversions

_SIGNALS = frozenset({"LifecycleSignal", "ExecutionSuccess", "ExecutionError", "ExecutionCancel"})
_ENDS = ("success", "error", "end")

# What constructors and other calls return, by the full name of the call.
_RETURNED = {
    "datetime.date.today": "date",
    "datetime.datetime.combine": "datetime",
    "datetime.datetime.fromisoformat": "datetime",
    "datetime.datetime.fromtimestamp": "datetime",
    "datetime.datetime.now": "datetime",
    "datetime.datetime.strptime": "datetime",
    "datetime.datetime.today": "datetime",
    "datetime.datetime.utcnow": "datetime",
    "dateutil.parser.parse": "datetime",
    "pathlib.Path.cwd": "Path",
    **dict.fromkeys(("uuid.uuid1", "uuid.uuid3", "uuid.uuid4", "uuid.uuid5"), "UUID"),
    "collections.deque": "deque",
    "datetime.date": "date",
    "datetime.datetime": "datetime",
    "datetime.time": "time",
    "datetime.timedelta": "timedelta",
    "decimal.Decimal": "Decimal",
    "fractions.Fraction": "Fraction",
    "pathlib.Path": "Path",
    "uuid.UUID": "UUID",
    "bytearray": "bytearray",
    "bytes": "bytes",
    "complex": "complex",
    "enumerate": "enumerate",
    "filter": "filter",
    "frozenset": "frozenset",
    "map": "map",
    "range": "range",
    "reversed": "reversed",
    "set": "set",
    "zip": "zip",
}
_OF_METHODS = {"keys": "dict_keys", "values": "dict_values", "items": "dict_items"}


def swallowed(script: Script) -> Iterator[Finding]:
    """W109: signals that are caught. A `return` in a `finally` does it, too."""
    for node in script.nodes:
        if isinstance(node, ast.Try | ast.TryStar):
            yield from _caught(script, node)
            for inner in _within(node.finalbody):
                if isinstance(inner, ast.Return):
                    yield finding(
                        "W109",
                        inner,
                        "`return` in a `finally` swallows the end of the run, and every error",
                        "move it behind the `try` statement",
                    )
        elif isinstance(node, ast.Call) and script.dotted(node.func) == "contextlib.suppress":
            for argument in node.args:
                if _catches_signals(script, argument):
                    yield _swallows(argument, f"`suppress({source(argument)})`")


def _caught(script: Script, node: ast.Try | ast.TryStar) -> Iterator[Finding]:
    for handler in node.handlers:
        if not _catches_signals(script, handler.type):
            continue
        if any(isinstance(inner, ast.Raise) for inner in _within(handler.body)):
            return  # handlers after this one see no signals
        what = f"`except {source(handler.type)}:`" if handler.type else "`except:`"
        yield _swallows(handler, what)


def _swallows(node: ast.AST, what: str) -> Finding:
    return finding(
        "W109",
        node,
        f"{what} swallows the end of the run: success, error and cancellation",
        "catch `Exception`, or end the block with `raise`",
    )


def _catches_signals(script: Script, kind: ast.expr | None) -> bool:
    if kind is None:
        return True
    if isinstance(kind, ast.Tuple):
        return any(_catches_signals(script, one) for one in kind.elts)
    name = script.dotted(kind)
    return name == "BaseException" or (
        name.startswith("flow_api.") and name.rpartition(".")[2] in _SIGNALS
    )


def _within(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """Yield all nodes of a block but those of functions in it."""
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, Function | ast.ClassDef):
            waiting += ast.iter_child_nodes(node)


def never_reached(script: Script) -> Iterator[Finding]:
    """W110: code behind the end."""
    for node in script.nodes:
        for block in (getattr(node, name, None) for name in ("body", "orelse", "finalbody")):
            if not isinstance(block, list):
                continue
            for statement, following in itertools.pairwise(block):
                match statement:
                    case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr=attr))) if (
                        attr in _ENDS and script.is_this(owner)
                    ):
                        yield finding(
                            "W110",
                            following,
                            f"this does not run: `this.{attr}(…)` before it ends the run",
                            "move it before that call, or leave it out",
                        )


def outputs_lost(script: Script) -> Iterator[Finding]:
    """W107: a handler that puts outputs together and forgets about them."""
    handler = script.handler
    if handler is None:
        return
    inside = list(_within(handler.body))
    for node in inside:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Dict):
            yield finding(
                "W107",
                node,
                "a dict that nobody keeps",
                "write `return` before it: a returned dict is the run's output",
            )
    returned = any(isinstance(node, ast.Return) and node.value is not None for node in inside)
    if returned or any(_sets_outputs(script, node) for node in script.nodes):
        return
    for name, node in _dicts(handler.body).items():
        if not any(_is_read(script, use) for use in script.uses(name)):
            yield finding(
                "W107",
                node,
                f"`{name}` is put together, but neither returned nor set",
                f"end the handler with `return {name}`: a returned dict is the run's output",
            )


def _dicts(body: list[ast.stmt]) -> dict[str, ast.stmt]:
    """Return variables that begin as a dict."""
    found: dict[str, ast.stmt] = {}
    for node in _within(body):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if isinstance(
                value, ast.Dict | ast.DictComp
            ) or (isinstance(value, ast.Call) and source(value.func) == "dict"):
                found.setdefault(name, node)
    return found


def _is_read(script: Script, use: ast.Name) -> bool:
    """Whether a variable is used for more than to put entries into it."""
    match script.parent(use):
        case ast.Subscript(value=value, ctx=ast.Store() | ast.Del()) if value is use:
            return False
        case ast.Attribute(attr="update" | "setdefault" | "clear") as attribute:
            call = script.parent(attribute)
            return not (isinstance(call, ast.Call) and isinstance(script.parent(call), ast.Expr))
    return True


def _sets_outputs(script: Script, node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr="set_output")):
            return script.is_this(owner)
        case ast.Call(func=ast.Attribute(value=owner, attr="save" | "set"), keywords=keywords):
            return script.is_this(owner) and any(
                one.arg in ("output_value", None) for one in keywords
            )
    return False


def not_json(script: Script) -> Iterator[Finding]:
    """W108: what is stored and cannot be held by JSON."""
    for node in script.nodes:
        match node:
            case ast.Return(value=ast.expr() as value) if (
                script.handler is not None and script.function_of(node) is script.handler
            ):
                kept = script.value_of(value)
                if isinstance(kept, ast.Dict):
                    yield from _unholdable(script, kept)
            case ast.Call(func=ast.Attribute(value=owner, attr=attr)) if script.is_this(owner):
                yield from _of_call(script, node, attr)


def _of_call(script: Script, call: ast.Call, attr: str) -> Iterator[Finding]:
    if attr == "set_output":
        stored = [*call.args[-1:], *(one.value for one in call.keywords)]
    elif attr in ("save", "set"):
        stored = [one.value for one in call.keywords if one.arg == "output_value"]
    elif attr in ("flow", "script"):
        named = ("protect_inputs", "protect_outputs", "wait", "run", "save", "orphan")
        stored = [*call.args[1:], *(one.value for one in call.keywords if one.arg not in named)]
    else:
        return
    for value in stored:
        yield from _unholdable(script, value)


def _unholdable(script: Script, value: ast.expr, depth: int = 20) -> Iterator[Finding]:
    if depth == 0:
        return
    match value:
        case ast.Dict(keys=keys, values=values):
            for key in keys:
                if isinstance(key, ast.Constant) and not isinstance(key.value, str):
                    yield finding(
                        "W108",
                        key,
                        f"the key {key.value!r}: keys in JSON are text",
                        f"write {str(key.value)!r}",
                    )
            for one in values:
                yield from _unholdable(script, one, depth - 1)
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            for one in elements:
                yield from _unholdable(script, one, depth - 1)
        case ast.IfExp(body=body, orelse=orelse):
            yield from _unholdable(script, body, depth - 1)
            yield from _unholdable(script, orelse, depth - 1)
        case _:
            kind = _type_of(script, script.value_of(value))
            if kind:
                way = conversions.way_for(kind)
                yield finding(
                    "W108",
                    value,
                    f"`{source(value)}` is a {kind}, which JSON cannot hold",
                    f"convert it by {way}" if way else "convert it first, such as to a text",
                )


def _type_of(script: Script, value: ast.expr) -> str:
    match value:
        case ast.Set() | ast.SetComp():
            return "set"
        case ast.GeneratorExp():
            return "generator"
        case ast.Lambda():
            return "function"
        case ast.Constant(value=bytes()):
            return "bytes"
        case ast.Constant(value=complex()):
            return "complex"
        case ast.Call(func=ast.Attribute(attr=attr), args=[], keywords=[]) if attr in _OF_METHODS:
            return _OF_METHODS[attr]
        case ast.Call(func=ast.Attribute(attr="encode")):
            return "bytes"
        case ast.Call(func=called):
            return _RETURNED.get(script.dotted(called), "")
    return ""


def not_awaited(script: Script) -> Iterator[Finding]:
    """W114: outputs of a child that may not have ended."""
    for node in script.nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(keywords=keywords) as call):
                if not script.is_child(call) or not any(_is_no_wait(one) for one in keywords):
                    continue
                uses = list(script.uses(name))
                if script.is_child(ast.Name(name)) and all(_only_reads(script, u) for u in uses):
                    for use in uses:
                        read = script.parent(use)
                        assert read is not None
                        yield finding(
                            "W114",
                            read,
                            f"`{name}` was started without waiting, and may not have ended",
                            f"write `{name}.wait()` before, or leave `wait=False` out",
                        )


def _is_no_wait(keyword: ast.keyword) -> bool:
    value = keyword.value
    no = isinstance(value, ast.Constant) and value.value is False
    return keyword.arg in ("wait", "run") and no


def _only_reads(script: Script, use: ast.Name) -> bool:
    """Whether this is `child.get('output_value')`."""
    match script.parent(use):
        case ast.Attribute(attr="get") as attribute:
            match script.parent(attribute):
                case ast.Call(args=[ast.Constant(value="output_value")]):
                    return True
    return False
