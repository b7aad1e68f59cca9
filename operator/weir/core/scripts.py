"""Whether a flow's script can be run at all, found out by parsing: nothing of it is executed."""

import ast
import warnings
from collections.abc import Iterator
from typing import NamedTuple

from weir.api.flow import MAX_SCRIPT
from weir.api.reasons import Reason

HANDLER = "handler"
_FORMS = "handler(system, this) or handler(system, this, inputs)"
# A parser's message may quote the source; a status is no place for long lines of it.
_LONGEST_QUOTE = 200


class ScriptProblem(NamedTuple):
    """Why a script cannot be run."""

    reason: Reason
    message: str


def problem_with(script: str) -> ScriptProblem | None:
    """Return what is wrong with a script, or None when it defines a handler that can be called."""
    if len(script.encode(errors="surrogatepass")) > MAX_SCRIPT:
        return ScriptProblem(
            Reason.SYNTAX_ERROR, f"the script is larger than {MAX_SCRIPT // 1024} KiB: split it"
        )
    if "\0" in script:
        line = script[: script.index("\0")].count("\n") + 1
        return ScriptProblem(Reason.SYNTAX_ERROR, f"line {line}: the script contains a null byte")
    try:
        with warnings.catch_warnings():
            # An invalid escape in a string is the author's affair, not ours.
            warnings.simplefilter("ignore")
            tree = ast.parse(script, filename="script.py")
    except SyntaxError as error:
        return ScriptProblem(Reason.SYNTAX_ERROR, _described(error))
    except (ValueError, RecursionError, MemoryError) as error:
        # Lone surrogates, and expressions that are nested deeper than the parser can follow.
        return ScriptProblem(
            Reason.SYNTAX_ERROR, f"the script cannot be parsed: {str(error)[:_LONGEST_QUOTE]}"
        )
    return _problem_with_handler(tree)


def _described(error: SyntaxError) -> str:
    line, column = error.lineno or 0, error.offset or 0
    return f"line {line}, column {column}: {error.msg[:_LONGEST_QUOTE]}"


def _problem_with_handler(tree: ast.Module) -> ScriptProblem | None:
    bound = [node for node in _top_level(tree.body) if HANDLER in _names_bound_by(node)]
    if not bound:
        return ScriptProblem(
            Reason.NO_HANDLER, f"the script defines no function `{HANDLER}`: write {_FORMS}"
        )
    last = bound[-1]  # a later definition replaces an earlier one
    if isinstance(last, ast.FunctionDef):
        return _problem_with_parameters(last)
    if isinstance(last, ast.AsyncFunctionDef | ast.ClassDef):
        what = "an async function" if isinstance(last, ast.AsyncFunctionDef) else "a class"
        return ScriptProblem(
            Reason.NO_HANDLER,
            f"line {last.lineno}: `{HANDLER}` is {what}, but must be a plain function: {_FORMS}",
        )
    return None  # imported or computed: only a run can tell


def _problem_with_parameters(function: ast.FunctionDef) -> ScriptProblem | None:
    parameters = function.args
    names = [*parameters.posonlyargs, *parameters.args]
    required = len(names) - len(parameters.defaults)
    takes_enough = len(names) >= 2 or parameters.vararg is not None
    needs_more = required > 3 or any(default is None for default in parameters.kw_defaults)
    if takes_enough and not needs_more:
        return None
    given = ast.unparse(parameters)[:_LONGEST_QUOTE]
    return ScriptProblem(
        Reason.NO_HANDLER,
        f"line {function.lineno}: `{HANDLER}({given})` has the wrong parameters: write {_FORMS}",
    )


def _top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run when the module does, those within `if` and `try` included."""
    for node in body:
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for field in ("body", "orelse", "handlers", "finalbody"):
            for inner in getattr(node, field, []):
                handled = isinstance(inner, ast.ExceptHandler)
                yield from _top_level(inner.body if handled else [inner])


def _names_bound_by(node: ast.stmt) -> set[str]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return {node.name}
        case ast.Import() | ast.ImportFrom():
            return {alias.asname or alias.name for alias in node.names}
        case ast.Assign() | ast.AnnAssign():
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            return {target.id for target in targets if isinstance(target, ast.Name)}
        case _:
            return set()
