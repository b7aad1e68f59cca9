"""What an editor shows of flow_api on hovering: everything public is explained, with an example."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import flow_api

# A parameter of such a name is a quantity: its explanation says of what.
QUANTITY = re.compile(r"(^|_)(timeout|seconds|sec|minutes|delay|max_age|size|timestamp)($|_)")
UNIT = re.compile(r"second|minute|byte|Unix|ISO 8601", re.IGNORECASE)


def classes() -> list[type]:
    """Return the public classes, and those of flow_api that their calls return."""
    found: list[type] = [
        value for name in flow_api.__all__ if isinstance(value := getattr(flow_api, name), type)
    ]
    for kind in found:  # grows
        for function in functions(kind).values():
            words = re.findall(r"\w+", str(inspect.signature(function).return_annotation))
            names = vars(sys.modules[function.__module__])
            for value in (names.get(word) for word in words):
                if isinstance(value, type) and value.__module__.startswith("flow_api"):
                    found += [value] if value not in found else []
    return found


def functions(kind: type) -> dict[str, Callable[..., Any]]:
    """Return the public methods and properties that flow_api itself defines."""
    found: dict[str, Callable[..., Any]] = {}
    for base in kind.__mro__:
        if base.__module__.partition(".")[0] == "flow_api":
            for name, value in vars(base).items():
                function = value.fget if isinstance(value, property) else value
                function = getattr(function, "__func__", function)
                if not name.startswith("_") and isinstance(function, types.FunctionType):
                    found.setdefault(name, function)
    return found


def calls() -> dict[str, Callable[..., Any]]:
    return {
        f"{kind.__name__}.{name}": function
        for kind in classes()
        for name, function in functions(kind).items()
    }


CALLS = calls()


def doc(function: Callable[..., Any]) -> str:
    return inspect.getdoc(function) or ""


def section(text: str, name: str) -> str:
    """Return a section of a docstring, such as `Raises:`, without its head."""
    found = re.search(rf"^{name}:\n((?:    .*\n?|\n)*)", text, re.MULTILINE)
    return found[1] if found else ""


def parameters(function: Callable[..., Any]) -> Iterator[inspect.Parameter]:
    yield from list(inspect.signature(function).parameters.values())[1:]


def refers(text: str) -> bool:
    """Whether a docstring leaves the parameters to another one's."""
    return (
        re.search(r"parameters .*are those of|older (spelling|name)", " ".join(text.split()))
        is not None
    )


def raised(function: Callable[..., Any]) -> set[str]:
    """Return the classes of what the function itself raises."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    return {
        node.exc.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise)
        and isinstance(node.exc, ast.Call)
        and isinstance(node.exc.func, ast.Name)
    }


@pytest.mark.parametrize("kind", classes(), ids=lambda kind: kind.__name__)
def test_a_class_is_explained(kind: type) -> None:
    assert kind.__doc__


def test_the_walk_finds_what_scripts_use() -> None:
    assert {"Execution.flow", "Execution.get", "Execution.wait_for"} <= CALLS.keys()


@pytest.mark.parametrize("name", CALLS)
def test_a_call_has_an_example(name: str) -> None:
    assert ">>> " in section(doc(CALLS[name]), "Example")


@pytest.mark.parametrize("name", CALLS)
def test_a_calls_parameters_are_explained(name: str) -> None:
    text = doc(CALLS[name])
    explained = section(text, "Parameters")
    missing = [
        one.name
        for one in parameters(CALLS[name])
        if not re.search(rf"\b{one.name}\b", explained)
        and not (refers(text) or (one.name == "name_" and "`name_`" in text))
    ]
    assert missing == []


@pytest.mark.parametrize("name", CALLS)
def test_a_quantity_has_a_unit(name: str) -> None:
    explained = section(doc(CALLS[name]), "Parameters")
    for one in parameters(CALLS[name]):
        found = re.search(
            rf"^    [\w, ]*\b{one.name}\b[^\n]*:((?:.|\n {{8}})*)", explained, re.MULTILINE
        )
        if QUANTITY.search(one.name) and found:
            assert UNIT.search(one.name + found[1])


@pytest.mark.parametrize("name", CALLS)
def test_what_a_call_raises_is_said(name: str) -> None:
    said = section(doc(CALLS[name]), "Raises")
    # A wrong call as such needs no word: TypeError is what Python raises of them, too.
    assert [kind for kind in raised(CALLS[name]) - {"TypeError"} if kind not in said] == []


@pytest.mark.parametrize("name", CALLS)
def test_a_call_says_its_types(name: str) -> None:
    signature = inspect.signature(CALLS[name])
    assert signature.return_annotation is not inspect.Signature.empty
    assert [one.name for one in parameters(CALLS[name]) if one.annotation is one.empty] == []
