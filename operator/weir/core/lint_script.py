"""A script as the checks of `weir lint` see it: its tree, and what names in it stand for."""

import ast
import builtins
from collections.abc import Iterator
from functools import cached_property

from weir.core.lint_rules import Finding
from weir_protocol import scripts

# Calls of `this` that return an execution.
_CHILD_CALLS = frozenset({"flow", "connect", "script", "task"})

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class Script:
    """A script that has a handler, parsed."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.handler = scripts.handler_of(tree)
        self.nodes = list(ast.walk(tree))
        self._parents = {
            id(child): node for node in self.nodes for child in ast.iter_child_nodes(node)
        }

    def parent(self, node: ast.AST) -> ast.AST | None:
        """Return what the node is part of."""
        return self._parents.get(id(node))

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield what the node is part of, from the inside out."""
        found = self.parent(node)
        while found is not None:
            yield found
            found = self.parent(found)

    def function_of(self, node: ast.AST) -> ast.AST:
        """Return the function that the node is in, or the module."""
        for above in self.above(node):
            if isinstance(above, Function):
                return above
        return self.tree

    def calls(self) -> Iterator[ast.Call]:
        """Yield all calls."""
        for node in self.nodes:
            if isinstance(node, ast.Call):
                yield node

    # What names stand for

    @cached_property
    def _assigned(self) -> dict[str, list[ast.expr | None]]:
        """What is assigned to each name; None where it is more than a plain value."""
        found: dict[str, list[ast.expr | None]] = {}
        plain: set[int] = set()
        for node in self.nodes:
            match node:
                case ast.Assign(targets=[ast.Name() as target], value=value):
                    pass
                case ast.AnnAssign(target=ast.Name() as target, value=ast.expr() as value):
                    pass
                case ast.NamedExpr(target=target, value=value):
                    pass
                case _:
                    continue
            plain.add(id(target))
            found.setdefault(target.id, []).append(value)
        for node in self.nodes:
            match node:
                case ast.Name(id=name, ctx=ast.Store() | ast.Del()) if id(node) not in plain:
                    found.setdefault(name, []).append(None)
                case ast.arg(arg=name) | ast.ExceptHandler(name=str(name)):
                    found.setdefault(name, []).append(None)
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                    found.setdefault(name, []).append(None)
        return found

    @cached_property
    def _modules(self) -> dict[str, str]:
        """Names that imports bind, with what they stand for, such as `datetime.datetime`."""
        found = {}
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    top = alias.name.partition(".")[0]
                    found[alias.asname or top] = alias.name if alias.asname else top
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        return found

    def dotted(self, node: ast.AST) -> str:
        """Return the full name of what is imported or built in, such as `time.sleep`; else ''."""
        match node:
            case ast.Attribute(value=value, attr=attr):
                owner = self.dotted(value)
                return f"{owner}.{attr}" if owner else ""
            case ast.Name(id=name) if name in self._modules:
                return self._modules[name]
            case ast.Name(id=name) if hasattr(builtins, name) and name not in self._assigned:
                return name
        return ""

    @cached_property
    def _parameters(self) -> list[str]:
        given = self.handler.args if self.handler else None
        return [one.arg for one in (*given.posonlyargs, *given.args)] if given else []

    def is_system(self, node: ast.AST) -> bool:
        """Whether this is the handler's first argument."""
        return isinstance(node, ast.Name) and self._is_argument(node.id, 0, "system")

    def is_this(self, node: ast.AST) -> bool:
        """Whether this is the handler's second argument."""
        return isinstance(node, ast.Name) and self._is_argument(node.id, 1, "this")

    def _is_argument(self, name: str, place: int, usual: str) -> bool:
        named = self._parameters[place] if len(self._parameters) > place else usual
        # An argument that is given a new value may be anything.
        return name in (named, usual) and not any(
            value is not None for value in self._assigned.get(name, [])
        )

    def is_child(self, node: ast.AST) -> bool:
        """Whether this is a child that `this` has started, or a variable with nothing else."""
        if isinstance(node, ast.Name):
            values = self._assigned.get(node.id, [])
            return bool(values) and all(
                isinstance(value, ast.Call) and self.is_child(value) for value in values
            )
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr=attr)):
                return attr in _CHILD_CALLS and self.is_this(owner)
        return False

    def value_of(self, node: ast.expr) -> ast.expr:
        """Return what a variable was given, if only once; anything else as it is."""
        if isinstance(node, ast.Name):
            values = self._assigned.get(node.id, [])
            if len(values) == 1 and values[0] is not None:
                return values[0]
        return node

    def uses(self, name: str) -> Iterator[ast.Name]:
        """Yield where a variable is read."""
        for node in self.nodes:
            if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
                yield node


def finding(code: str, node: ast.AST, message: str, help_: str) -> Finding:
    """Return a finding at a node."""
    line: int = getattr(node, "lineno", 1)
    column: int = getattr(node, "col_offset", 0)
    # Of a statement the first line is meant, not the block that follows.
    whole = not isinstance(node, ast.stmt | ast.ExceptHandler)
    last: int = getattr(node, "end_lineno", line) if whole else line
    return Finding(code, line, column + 1, message, help_, last)


def source(node: ast.AST) -> str:
    """Return a piece of the script in one line, shortened."""
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else f"{text[:59]}…"
