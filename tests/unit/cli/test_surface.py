"""What holds for every verb: its help, its exit codes, and what the shell completes of it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, get_args

import pytest
from typer.main import get_command

from tests.unit.cli.fake import FakeCluster, weir
from weir.cli.main import app
from weir.cluster.errors import Unavailable

# What each verb needs to be called; those that are not here need nothing.
_NEEDED = {
    "run": ["hello"],
    "trigger": ["nightly"],
    "backfill": ["nightly", "--from", "2026-01-01", "--to", "2026-01-02"],
    "logs": ["x"],
    "tree": ["x"],
    "cancel": ["x"],
    "pause": ["x"],
    "resume": ["x"],
    "promote": ["x"],
    "suspend": ["schedule", "x"],
    "unsuspend": ["schedule", "x"],
    "describe": ["schedule", "x"],
    "file get": ["x"],
    "file rm": ["x"],
    "lint": ["-"],
    "push": ["hello"],
}
# They ask no cluster, or do without its answer.
_ALONE = {"lint", "init", "version", "push", "file put"}


def verbs() -> Iterator[tuple[str, Any]]:
    """Yield every verb with its command, those of groups as `file put`."""
    root: Any = get_command(app)
    for name, command in root.commands.items():
        if hasattr(command, "commands"):
            for inner, below in command.commands.items():
                yield f"{name} {inner}", below
        else:
            yield name, command


VERBS = dict(verbs())


class Away(FakeCluster):
    """A cluster that does not answer."""


def _unavailable(*_: object, **__: object) -> Any:
    raise Unavailable("the API server does not answer")


for _name, _method in inspect.getmembers(FakeCluster, inspect.isfunction):
    if _name in ("get", "list", "create", "patch", "watch", "raw"):
        setattr(Away, _name, _unavailable)


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_help_with_examples(verb: str) -> None:
    result = weir(FakeCluster(), *verb.split(), "--help")
    assert result.exit_code == 0
    examples = result.stdout.split("Examples:")[1].strip().splitlines()
    assert examples
    assert all(line.strip().startswith(f"weir {verb}") for line in examples)
    assert all("# " in line for line in examples)
    assert "--namespace" in result.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_ends_with_2_for_an_option_that_it_has_not(verb: str) -> None:
    result = weir(FakeCluster(), *verb.split(), *_NEEDED.get(verb, []), "--no-such-option")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "No such option" in result.stderr


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in _ALONE])
def test_each_verb_ends_with_4_where_the_cluster_does_not_answer(verb: str) -> None:
    result = weir(Away(), *verb.split(), *_NEEDED.get(verb, []))
    assert (result.exit_code, result.stdout) == (4, ""), result.stderr
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "verb",
    [verb for verb, command in VERBS.items() if any("-o" in one.opts for one in command.params)],
)
def test_each_verb_refuses_a_way_to_print_that_it_has_not(verb: str) -> None:
    if verb == "file get":  # there it is a path
        return
    result = weir(FakeCluster(), *verb.split(), *_NEEDED.get(verb, []), "-o", "xml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--output 'xml'" in result.stderr


# A value that nobody can know before.
_FREE = {
    "input",
    "inputs",
    "input_files",
    "name",
    "title",
    "priority",
    "timeout",
    "answers",
    "connections",
    "selector",
    "begin",
    "end",
    "max_active",
    "fields",
    "response",
    "ignore",
    "branch",
    "author",
    "url",
    "server",
}


@pytest.mark.parametrize("verb", VERBS)
def test_the_shell_completes_each_value_that_can_be_known(verb: str) -> None:
    for parameter in VERBS[verb].params:
        if not hasattr(parameter, "type_descriptor"):  # --help
            continue
        annotation = parameter.type_descriptor.annotation
        inner = (get_args(annotation) or (annotation,))[0]
        known = (
            parameter._custom_shell_complete is not None,
            inner in (bool, Path) or issubclass(inner, Enum),
            parameter.name in _FREE,
            verb == "push" and parameter.name == "message",
        )
        assert any(known), f"{verb}: {parameter.name}"
