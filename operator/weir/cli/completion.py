"""What the shell completes: names of every kind, namespaces, contexts, kinds, ways to print.

Quick, and silent: where no cluster answers in time there is nothing to choose from.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence

import typer

from weir.cli.glance import Glance
from weir.cli.kinds import EVERY, WORDS, Word, find

_NOT_ARCHIVED = "!weir.dev/archived"
# The environment by which shells ask the command, instead of calling it.
_ASKED = "_WEIR_COMPLETE"
# What cobra's completion calls `ShellCompDirectiveNoFileComp`: no names of files instead.
_NO_FILES = ":4"

Completer = Callable[[typer.Context, str], list[str]]


def flow_names(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names of Flows that begin so."""
    return names(context, "flows", incomplete)


def execution_names(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names of Executions that begin so; archived ones only where they are shown."""
    return names(context, "executions", incomplete)


def message_names(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names of Messages that begin so."""
    return names(context, "messages", incomplete)


def schedule_names(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names of Schedules that begin so."""
    return names(context, "schedules", incomplete)


def repository_names(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names of FlowRepositories that begin so."""
    return names(context, "flowrepositories", incomplete)


def names(context: typer.Context, plural: str, incomplete: str) -> list[str]:
    """Return the names of objects of a kind that begin so, without what is given already."""
    labels = _NOT_ARCHIVED if plural == "executions" and not _given(context, "archived") else ""
    found = _beginning(
        incomplete, _asking(context, lambda look: look.objects(plural, labels=labels))
    )
    said = {word for value in context.params.values() if isinstance(value, list) for word in value}
    return [name for name in found if name not in said]


def namespace_names(context: typer.Context, incomplete: str) -> list[str]:
    """Return the namespaces that begin so."""
    return _beginning(incomplete, _asking(context, Glance.namespaces))


def context_names(context: typer.Context, incomplete: str) -> list[str]:
    """Return the kubeconfig's contexts that begin so."""
    return _beginning(incomplete, _asking(context, Glance.contexts))


def kind_words(context: typer.Context, incomplete: str) -> list[str]:
    """Return the kinds that begin so; behind `KIND/` the names of its objects."""
    return _kinds(context, incomplete, WORDS, (EVERY,))


def names_of_kind(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names of objects of the kind that the call says before."""
    said = context.params.get("kind")
    word = find(said) if isinstance(said, str) else None
    if word is not None:
        return names(context, word.plural, incomplete)
    return _kinds(context, incomplete, WORDS, ()) if isinstance(said, str) and "/" in said else []


def columns_of_kind(context: typer.Context, incomplete: str) -> list[str]:
    """Return the columns of the kind that the call says before."""
    word = find(str(context.params.get("kind") or "executions").partition("/")[0])
    if word is None:
        return []
    model, _ = word.api
    return _beginning(incomplete, ["name", *(column[0].lower() for column in model.COLUMNS)])


def kinds_among(plurals: Iterable[str]) -> Completer:
    """Return what completes kinds, of these only."""
    words = [one for one in WORDS if one.plural in set(plurals)]

    def complete(context: typer.Context, incomplete: str) -> list[str]:
        return _kinds(context, incomplete, words, ())

    return _plain(complete)


def one_of(choices: Sequence[str]) -> Completer:
    """Return what completes these words."""

    def complete(context: typer.Context, incomplete: str) -> list[str]:
        return _beginning(incomplete, choices)

    return _plain(complete)


def _plain(function: Completer) -> Completer:
    # typer looks at annotations, and these are texts here.
    function.__annotations__ = {"context": typer.Context, "incomplete": str}
    return function


def _kinds(
    context: typer.Context, incomplete: str, words: Iterable[Word], more: Iterable[str]
) -> list[str]:
    kind, slash, name = incomplete.partition("/")
    if not slash:
        return _beginning(incomplete, [*(one.plural for one in words), *more])
    word = find(kind)
    if word is None or word not in words:
        return []
    return [f"{kind}/{one}" for one in names(context, word.plural, name)]


def _beginning(incomplete: str, found: Iterable[str]) -> list[str]:
    return [name for name in found if name.startswith(incomplete)]


def _given(context: typer.Context, name: str) -> object:
    """Return an option's value: near the verb, else before it."""
    value = context.params.get(name)
    if value is None and context.parent is not None:
        return context.parent.params.get(name)
    return value


def _asking(context: typer.Context, question: Callable[[Glance], list[str]]) -> list[str]:
    given = {
        "namespace": _given(context, "namespace"),
        "kubeconfig": _given(context, "kubeconfig"),
        "context": _given(context, "kube_context"),
    }
    try:
        return question(Glance(**given))  # type: ignore[arg-type]  # as typer has read them
    except Exception:
        return []


def prepare() -> None:
    """Make good, where a shell asks, what shell and program do to words; and be silent from now."""
    if _ASKED not in os.environ:
        return
    if "COMP_WORDS" in os.environ and os.environ.get("COMP_CWORD", "").isdigit():
        words, place = _joined(os.environ["COMP_WORDS"].split("\n"), int(os.environ["COMP_CWORD"]))
        os.environ["COMP_WORDS"], os.environ["COMP_CWORD"] = "\n".join(words), str(place)
    if not os.environ[_ASKED].startswith("source"):
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115  open until the program ends


def _joined(words: list[str], place: int) -> tuple[list[str], int]:
    """Join what bash splits at `=`, as `--phase=Failed`; `place` is the word to complete."""
    joined: list[str] = []
    where = place
    for number, word in enumerate(words):
        after = bool(joined) and joined[-1].endswith("=") and number and words[number - 1] == "="
        if joined and (word == "=" or after):
            joined[-1] += word
            where -= number <= place
        else:
            joined.append(word)
    return joined, where


def for_kubectl() -> None:
    """Answer kubectl, which calls `kubectl_complete-weir` with the words after `kubectl weir`."""
    from weir.cli.main import app

    words = ["weir", *(sys.argv[1:] or [""])]
    os.environ.update(
        {
            _ASKED: "complete_bash",
            "COMP_WORDS": "\n".join(_quoted(word) for word in words),
            "COMP_CWORD": str(len(words) - 1),
        }
    )
    prepare()
    try:
        app(prog_name="weir")
    finally:
        print(_NO_FILES)


def _quoted(word: str) -> str:
    import shlex

    return shlex.quote(word) if word else ""
