"""Whether a flow's script can be run at all, found out by parsing: nothing of it is executed."""

import ast
import warnings
from collections.abc import Iterator
from typing import Literal, NamedTuple

MAX_SCRIPT = 200 * 1024  # bytes
HANDLER = "handler"
_FORMS = "handler(system, this) or handler(system, this, inputs)"
# A parser's message may quote the source; a status is no place for long lines of it.
_LONGEST_QUOTE = 200


class ScriptProblem(NamedTuple):
    """Why a script cannot be run. Line and column count from 1; None where all of it is meant."""

    reason: Literal["SyntaxError", "NoHandler"]
    what: str
    line: int | None = None
    column: int | None = None
    hint: str = ""

    @property
    def message(self) -> str:
        """What is wrong, and where, in one line."""
        what = f"{self.what}; hint: {self.hint}" if self.hint else self.what
        if self.line is None:
            return what
        where = f"line {self.line}"
        if self.column is not None:
            where += f", column {self.column}"
        return f"{where}: {what}"


def problem_with(script: str) -> ScriptProblem | None:
    """Return what is wrong with a script, or None when it defines a handler that can be called."""
    if len(script.encode(errors="surrogatepass")) > MAX_SCRIPT:
        return ScriptProblem(
            "SyntaxError", f"the script is larger than {MAX_SCRIPT // 1024} KiB: split it"
        )
    if "\0" in script:
        line = script[: script.index("\0")].count("\n") + 1
        return ScriptProblem("SyntaxError", "the script contains a null byte", line)
    try:
        with warnings.catch_warnings():
            # An invalid escape in a string is the author's affair, not ours.
            warnings.simplefilter("ignore")
            tree = ast.parse(script, filename="script.py")
            # Some mistakes are found after parsing only, such as a `return` outside of a function.
            compile(tree, "script.py", "exec", dont_inherit=True)
    except SyntaxError as error:
        line, column = error.lineno or 0, error.offset or 0
        what = error.msg[:_LONGEST_QUOTE]
        return ScriptProblem("SyntaxError", what, line, column, syntax_hint(what))
    except (ValueError, RecursionError, MemoryError) as error:
        # Lone surrogates, and expressions that are nested deeper than the parser can follow.
        return ScriptProblem(
            "SyntaxError", f"the script cannot be parsed: {str(error)[:_LONGEST_QUOTE]}"
        )
    return _problem_with_handler(tree)


def syntax_hint(what: str) -> str:
    """Return how to mend a mistake that is common in flows; empty for any other."""
    if what.startswith("'await' outside"):
        return "leave `await` out: calls of flow_api wait by themselves"
    if what == "'return' outside function":
        return f"indent it, so that it belongs to `{HANDLER}`"
    return ""


def handler_of(tree: ast.Module) -> ast.FunctionDef | None:
    """Return the function that is run, if the script defines it plainly."""
    bound = _handlers(tree)
    return bound[-1] if bound and isinstance(bound[-1], ast.FunctionDef) else None


def _handlers(tree: ast.Module) -> list[ast.stmt]:
    return [node for node in _top_level(tree.body) if HANDLER in _names_bound_by(node)]


def _problem_with_handler(tree: ast.Module) -> ScriptProblem | None:
    bound = _handlers(tree)
    if not bound:
        return _no_handler(tree)
    last = bound[-1]  # a later definition replaces an earlier one
    if isinstance(last, ast.FunctionDef):
        return _problem_with_form(last) or _problem_with_parameters(last)
    if isinstance(last, ast.AsyncFunctionDef | ast.ClassDef):
        what = "an async function" if isinstance(last, ast.AsyncFunctionDef) else "a class"
        return ScriptProblem(
            "NoHandler",
            f"`{HANDLER}` is {what}, but must be a plain function: {_FORMS}",
            last.lineno,
        )
    return None  # imported or computed: only a run can tell


def _no_handler(tree: ast.Module) -> ScriptProblem:
    what = f"the script defines no function `{HANDLER}`: write {_FORMS}"
    for node in _top_level(tree.body):
        if isinstance(node, ast.FunctionDef):
            names = [one.arg for one in node.args.args]
            if names[:2] == ["system", "this"] or node.name.lower() in ("handle", HANDLER, "main"):
                return ScriptProblem(
                    "NoHandler", f"{what}; did you mean `{node.name[:100]}`?", node.lineno
                )
    return ScriptProblem("NoHandler", what)


def _problem_with_form(function: ast.FunctionDef) -> ScriptProblem | None:
    if function.decorator_list:  # which may make a plain function of it
        return None
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return ScriptProblem(
                "NoHandler",
                f"`{HANDLER}` is a generator: the `yield` in it keeps its lines from running",
                node.lineno,
            )
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return None


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
        "NoHandler",
        f"`{HANDLER}({given})` has the wrong parameters: write {_FORMS}",
        function.lineno,
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
