"""Notices about what a resumed run may meet differently.

A run whose Pod is lost is run again from the top. What it asked of Weir returns as before; the
clock, chance and the world outside do not.
"""

import ast
from collections.abc import Iterator

from weir.core.lint_rules import Finding
from weir.core.lint_script import Script, finding, source

_CLOCK = frozenset(
    {
        "datetime.date.today",
        "datetime.datetime.now",
        "datetime.datetime.today",
        "datetime.datetime.utcnow",
        "time.gmtime",
        "time.localtime",
        "time.monotonic",
        "time.monotonic_ns",
        "time.perf_counter",
        "time.time",
        "time.time_ns",
    }
)
_CHANCE = frozenset(
    {"os.urandom", "os.getrandom", "random.SystemRandom", "uuid.uuid1", "uuid.uuid4"}
)
# Without a seed, the system's.
_SEEDED = frozenset({"random.Random", "random.seed"})
_CHANCE_MODULES = ("secrets",)
_OUTSIDE = frozenset(
    {
        "open",
        "os.popen",
        "os.system",
        "smtplib.SMTP",
        "smtplib.SMTP_SSL",
        "socket.create_connection",
        "urllib.request.urlopen",
        "urllib.request.urlretrieve",
    }
)
_OUTSIDE_MODULES = ("requests", "httpx", "subprocess", "boto3", "paramiko", "psycopg", "psycopg2")
_THREADS = frozenset(
    {
        "_thread.start_new_thread",
        "asyncio.to_thread",
        "concurrent.futures.ThreadPoolExecutor",
        "multiprocessing.pool.ThreadPool",
        "threading.Thread",
        "threading.Timer",
    }
)

# What is said there decides nothing.
_HARMLESS_CALLS = frozenset(
    {"log", "success", "error", "end", "set", "save", "set_output", "once", "webhook_response"}
)
# Calls that a resumed run has no record of.
_NOT_RECORDED = frozenset(
    {"log", "get", "set", "set_output", "success", "error", "end", "get_env_name"}
)


def notices(script: Script) -> Iterator[Finding]:
    """N201 to N204, for a script that asks Weir for anything at all."""
    if not any(_is_recorded(script, call) for call in script.calls()):
        return
    once = _run_once(script)
    for call in script.calls():
        name = script.dotted(call.func)
        if name and not any(above in once for above in (call, *script.above(call))):
            yield from _notice(script, call, name)


def _notice(script: Script, call: ast.Call, name: str) -> Iterator[Finding]:
    top = name.partition(".")[0]
    if name in _THREADS:
        yield finding(
            "N204",
            call,
            f"`{name}`: a run that calls `this` from a second thread is not resumable",
            "for work in parallel start children: `this.flow(…, wait=False)`",
        )
    elif name in _CLOCK and not _decides_nothing(script, call):
        yield _differs("N201", call, "is another time when the run is resumed", name)
    elif name in _CHANCE or top in _CHANCE_MODULES or (name in _SEEDED and not call.args):
        if name == "random.seed" or not _decides_nothing(script, call):
            yield _differs("N202", call, "is another value when the run is resumed", name)
    elif (name in _OUTSIDE or top in _OUTSIDE_MODULES) and not _is_in_tmp(call):
        yield _differs("N203", call, "is done again when the run is resumed", name)


def _differs(code: str, call: ast.Call, what: str, name: str) -> Finding:
    arguments = ", ".join(source(one) for one in call.args)
    shown = f"this.once({source(call.func)}{', ' if arguments else ''}{arguments})"
    help_ = f"write `{shown}`, which records the result, if JSON can hold it"
    if code == "N203" or name.startswith(("datetime", "uuid")):
        help_ = "do it in a function called by `this.once(function)`, which records its JSON result"
    return finding(code, call, f"`{source(call)}` {what}", help_)


def _is_recorded(script: Script, call: ast.Call) -> bool:
    match call.func:
        case ast.Attribute(value=owner, attr=attr):
            ours = script.is_this(owner) or script.is_system(owner) or script.is_child(owner)
            return ours and attr not in _NOT_RECORDED
    return False


def _run_once(script: Script) -> set[ast.AST]:
    """Return functions that `this.once` runs, and what stands in its arguments."""
    found: set[ast.AST] = set()
    names: set[str] = set()
    for call in script.calls():
        match call:
            case ast.Call(func=ast.Attribute(value=owner, attr="once")) if script.is_this(owner):
                found.update(call.args)
                names |= {one.id for one in call.args if isinstance(one, ast.Name)}
    for node in script.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in names:
            found.add(node)
    return found


def _decides_nothing(script: Script, node: ast.AST, depth: int = 4) -> bool:
    """Whether a value goes into the log, the outputs or nowhere: then it may differ."""
    for above in script.above(node):
        match above:
            case ast.Call(func=ast.Name(id="print")) | ast.Return():
                return True
            case ast.Call(func=ast.Attribute(value=owner, attr=attr)) if (
                attr in _HARMLESS_CALLS and script.is_this(owner)
            ):
                return True
            case ast.Expr():
                return True
            case ast.Assign(targets=[ast.Name(id=name)]) if depth:
                return all(_decides_nothing(script, one, depth - 1) for one in script.uses(name))
            case ast.Lambda() | ast.stmt():
                return False
    return False


def _is_in_tmp(call: ast.Call) -> bool:
    """Whether this is a file in the Pod, which a resumed run writes anew."""
    match call.args:
        case [ast.Constant(value=str(path)), *_]:
            return path.startswith("/tmp")
    return False
