"""Checks of calls: of `this`, `system`, children, and of what has no place in a run."""

import ast
import inspect
from collections.abc import Iterator

import flow_api
from flow_api._fields import READABLE, WRITABLE
from weir.core.lint_rules import Finding
from weir.core.lint_script import Script, finding, source
from weir_runner import spelling

_NAMED = ("flow", "connect", "script", "task")
_EXITS = frozenset({"sys.exit", "exit", "quit", "os._exit", "os.abort"})
# From here on a Pod is kept for nothing; shorter ones are how people poll.
LONG_SLEEP = 10


def public(kind: type) -> set[str]:
    """Return the names that scripts may use."""
    return {name for name in dir(kind) if not name.startswith("_")}


def unknown_names(script: Script) -> Iterator[Finding]:
    """W102: attributes that are not there."""
    for node in script.nodes:
        if not isinstance(node, ast.Attribute) or node.attr.startswith("__"):
            continue
        owner = source(node.value)
        if script.is_this(node.value) or script.is_child(node.value):
            yield from _unknown_of_execution(script, node, owner)
        elif script.is_system(node.value) and node.attr not in public(flow_api.System):
            help_ = _nearest(node.attr, public(flow_api.System), owner)
            if node.attr in public(flow_api.Execution):
                help_ = f"`{node.attr}` is a call of `this`"
            yield finding("W102", node, f"`{owner}` has no `{node.attr}`", help_)
        elif script.dotted(node.value) == "flow_api" and not hasattr(flow_api, node.attr):
            help_ = _nearest(node.attr, flow_api.__all__, owner)
            yield finding("W102", node, f"`flow_api` has no `{node.attr}`", help_)


def _unknown_of_execution(script: Script, node: ast.Attribute, owner: str) -> Iterator[Finding]:
    calls = public(flow_api.Execution)
    if node.attr in calls and isinstance(node.ctx, ast.Load):
        return
    if isinstance(node.ctx, ast.Store):
        field = spelling.field(node.attr, WRITABLE)
        help_ = f"fields are set by `{owner}.save({field or 'message'}=…)`"
        if field == "output_value":
            help_ = f"outputs are set by `{owner}.set_output('key', value)`"
        yield finding("W102", node, f"`{owner}.{node.attr}` cannot be assigned to", help_)
        return
    meant = spelling.attribute(node.attr, calls, READABLE)
    if node.attr in public(flow_api.System):
        yield finding(
            "W102", node, f"`{owner}` has no `{node.attr}`", f"`{node.attr}` is of `system`"
        )
        return
    help_ = f"did you mean `{owner}.{meant}`?" if meant else "its calls are in docs/flow_api.md"
    yield finding("W102", node, f"`{owner}` has no `{node.attr}`", help_)


def _nearest(name: str, names: set[str] | list[str], owner: str) -> str:
    near = spelling.close_to(name, names)
    return f"did you mean `{owner}.{near}`?" if near else "see docs/flow_api.md for what there is"


def unknown_fields(script: Script) -> Iterator[Finding]:
    """W103: fields that are not there."""
    for call in script.calls():
        match call.func:
            case ast.Attribute(value=owner, attr="get" | "load"):
                if script.is_this(owner) or script.is_child(owner):
                    yield from _unread(call)
            case ast.Attribute(value=owner, attr="set" | "save") if script.is_this(owner):
                yield from _unset(call)


def _unread(call: ast.Call) -> Iterator[Finding]:
    for argument in call.args:
        match argument:
            case ast.Constant(value=str(name)) if name not in READABLE:
                near = spelling.field(name, READABLE)
                help_ = f"did you mean {near!r}?" if near else f"it has {', '.join(READABLE)}"
                yield finding("W103", argument, f"an execution has no field {name!r}", help_)


def _unset(call: ast.Call) -> Iterator[Finding]:
    for keyword in call.keywords:
        if keyword.arg is None or keyword.arg in WRITABLE:
            continue
        near = spelling.field(keyword.arg, WRITABLE)
        help_ = f"did you mean {near!r}?" if near else f"it can set {', '.join(WRITABLE)}"
        if keyword.arg == "status":
            help_ = "a run ends by `this.success(…)` or `this.error(…)`"
        yield finding("W103", keyword, f"a script cannot set {keyword.arg!r}", help_)


def wrong_arguments(script: Script) -> Iterator[Finding]:
    """W101 and W104: arguments that a call does not take."""
    for call in script.calls():
        match call.func:
            case ast.Attribute(value=owner, attr=name) if script.is_this(owner):
                function = getattr(flow_api.Execution, name, None)
                spread = any(isinstance(one, ast.Starred) for one in call.args)
                spread = spread or any(one.arg is None for one in call.keywords)
                if not inspect.isfunction(function) or spread or name.startswith("_"):
                    continue
                if name in _NAMED and not call.args:
                    yield from _unnamed(call, name)
                else:
                    yield from _unbound(call, name, inspect.signature(function))


def _unnamed(call: ast.Call, name: str) -> Iterator[Finding]:
    given = {one.arg for one in call.keywords}
    if name == "connect":
        if not given & {"connector_type"}:
            yield finding(
                "W101",
                call,
                "`this.connect(…)` without a connector",
                "name a Connector first, or give `connector_type='GIT'`",
            )
        return
    first = {"flow": "'its name', ", "script": "source, ", "task": "'GIT', "}[name]
    yield finding(
        "W101",
        call,
        f"`this.{name}(…)` without its first argument",
        f"write `this.{name}({first}key=value)`: keywords are inputs",
    )


def _unbound(call: ast.Call, name: str, signature: inspect.Signature) -> Iterator[Finding]:
    arguments = [None, *call.args]  # the first one is self
    try:
        signature.bind(*arguments, **{str(one.arg): one.value for one in call.keywords})
    except TypeError as error:
        plain = [
            one.replace(annotation=inspect.Parameter.empty)
            for one in list(signature.parameters.values())[1:]
        ]
        called = f"it is called as `this.{name}{inspect.Signature(plain)}`"
        yield finding("W104", call, f"`this.{name}(…)`: {error}", called)


def awaits(script: Script) -> Iterator[Finding]:
    """W105: `await this.…`, in an async function within the script."""
    for node in script.nodes:
        match node:
            case ast.Await(value=ast.Call(func=ast.Attribute(value=owner))) if (
                script.is_this(owner) or script.is_child(owner) or script.is_system(owner)
            ):
                yield finding(
                    "W105",
                    node,
                    f"`{source(node)}`: calls of flow_api are no coroutines",
                    "leave `await` out: the call waits by itself",
                )


def records(script: Script) -> Iterator[Finding]:
    """W106: a record that is taken for a run."""
    for call in script.calls():
        match call.func:
            case ast.Attribute(
                value=ast.Call(func=ast.Attribute(value=owner, attr="flow"), args=arguments),
                attr="run" | "run_async" | "start" | "wait" as name,
            ) if script.is_system(owner):
                named = source(arguments[0]) if arguments else "'its name'"
                yield finding(
                    "W106",
                    call,
                    f"`system.flow(…)` is a record of the flow and cannot `{name}`",
                    f"write `this.flow({named})`",
                )


def exits(script: Script) -> Iterator[Finding]:
    """W111 and W112: calls that have no place in a run."""
    for call in script.calls():
        name = script.dotted(call.func)
        if name in _EXITS:
            yield finding(
                "W111",
                call,
                f"`{name}()` fails the run with the reason ScriptExited",
                "write `this.success(…)`, `this.error(…)` or `return`",
            )
        elif name == "input":
            yield finding(
                "W112",
                call,
                "`input()`: nobody sits at a run",
                "take an input of the flow, or ask people by `this.message(…)`",
            )


def sleeps(script: Script) -> Iterator[Finding]:
    """W113: `time.sleep` for long."""
    for call in script.calls():
        if script.dotted(call.func) == "time.sleep" and len(call.args) == 1:
            seconds = _number(script.value_of(call.args[0]))
            if seconds is not None and seconds >= LONG_SLEEP:
                yield finding(
                    "W113",
                    call,
                    f"`{source(call)}` keeps a Pod, and starts anew when the Pod is lost",
                    f"write `this.sleep({source(call.args[0])})`",
                )


def _number(node: ast.expr) -> float | None:
    """Return the least that a product with unknown factors of 1 or more comes to."""
    match node:
        case ast.Constant(value=int() | float() as value):
            return value
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            known = [one for one in (_number(left), _number(right)) if one is not None]
            return known[0] * known[-1] if len(known) == 2 else known[0] if known else None
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            known = [one for one in (_number(left), _number(right)) if one is not None]
            return sum(known) if known else None
    return None
