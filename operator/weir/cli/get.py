"""`weir get`: objects of every kind, as they are now."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from weir.api.execution import Execution
from weir.api.names import ARCHIVED_LABEL
from weir.api.resource import JsonObject, Resource
from weir.cli import finding, kinds, printing, tables
from weir.cli.errors import CliError, ExitCode, program
from weir.cli.output import LISTS, TABLES, Output, way_of
from weir.cli.session import Session
from weir.cli.terminal import say
from weir.cluster.errors import ClusterError

_FORMS = "{program} {verb} KIND [NAME…], or {program} {verb} KIND/NAME…"


@dataclass(frozen=True)
class Choice:
    """Which objects are meant: those of the names given, or all that the selectors let through."""

    everywhere: bool = False
    selector: str = ""  # of labels, as the API server reads it
    phase: str | None = None
    flow: str | None = None  # Executions of this Flow, by its name or as their authors wrote it
    archived: bool = False
    sort_by: str | None = None  # a column, or a JSONPath

    @property
    def narrows(self) -> bool:
        """Whether an object that is there may be left out."""
        return bool(self.selector or self.phase or self.flow)

    def takes(self, item: JsonObject) -> bool:
        """Whether an object is meant, as far as the API server has not seen to it."""
        status = item.get("status") or {}
        if self.phase is not None and (status.get("phase") or "Pending") != self.phase:
            return False
        if self.flow is not None and self.flow not in (
            item["spec"].get("flow"),
            status.get("flow"),
        ):
            return False
        return self.archived or ARCHIVED_LABEL not in (item["metadata"].get("labels") or {})


@dataclass(frozen=True)
class Wanted:
    """Objects of one kind; without names all."""

    word: kinds.Word
    names: tuple[str, ...] = ()


async def get(
    session: Session,
    words: Sequence[str],
    choice: Choice,
    *,
    output: str,
    watch: bool = False,
    events: bool = False,
    headers: bool = True,
) -> ExitCode:
    """Print all objects of kinds, or those of the names given; with `watch` go on for ever.

    Raises CliError, ClusterError.
    """
    way = way_of(output, LISTS)
    try:
        wanted = read_words(words)
    except kinds.NoKind as error:
        await _point_to_kind(session, error.word)
        raise
    _check(wanted, choice)
    if watch:
        from weir.cli import live

        if len(wanted) != 1:
            raise CliError("--watch follows one kind: say which")
        return await live.follow(session, wanted[0], choice, way, events=events, headers=headers)
    if events:
        raise CliError("--output-watch-events is for --watch")
    found = [(one, await _found(session, one, choice)) for one in wanted]
    if len(found) == 1:
        _print(session, *found[0], choice, way, headers=headers)
    else:
        mixed = [(one.word.api[0], item) for one, items in found for item in items]
        if way in TABLES and not mixed:
            say(nothing(session, None, choice))
        else:
            printing.show_mixed(session, mixed, way, namespaces=choice.everywhere, headers=headers)
    return ExitCode.SUCCEEDED


async def _point_to_kind(session: Session, name: str) -> None:
    """Raise NoKind with the kind of the object of that name, if there is one."""
    for word in kinds.WORDS:
        try:
            await session.cluster.get(word.api[1], session.namespace, name)
        except ClusterError:
            continue
        raise kinds.NoKind(name, "get", word.plural)


def read_words(words: Sequence[str], verb: str = "get") -> list[Wanted]:
    """Return what `KIND NAME…`, `KIND,KIND`, `KIND/NAME…` or `all` mean. Raises CliError."""
    first, *names = words or ("executions",)
    if "/" in first:
        return _of_pairs(words, verb)
    if first.lower() == kinds.EVERY and not names:
        return [Wanted(word) for word in kinds.WORDS]
    chosen = [kinds.named(one, verb) for one in first.split(",") if one]
    if not chosen or (names and len(chosen) > 1):
        raise CliError(f"a name is of one kind: {_FORMS.format(program=program(), verb=verb)}")
    plain = dict.fromkeys(finding.name_of_kind(name, chosen[0]) for name in names)
    return [Wanted(word, tuple(plain)) for word in dict.fromkeys(chosen)]


def _of_pairs(words: Sequence[str], verb: str) -> list[Wanted]:
    named: dict[kinds.Word, list[str]] = {}
    last: kinds.Word | None = None
    for word in words:
        kind, slash, name = word.rpartition("/")
        last = kinds.named(kind, verb) if slash else last
        assert last is not None, "the first word has a slash"
        if not name:
            raise CliError(f"{word!r} has no name: {_FORMS.format(program=program(), verb=verb)}")
        named.setdefault(last, []).append(name)
    return [Wanted(word, tuple(dict.fromkeys(names))) for word, names in named.items()]


def _check(wanted: Sequence[Wanted], choice: Choice) -> None:
    names = any(one.names for one in wanted)
    if names and choice.everywhere:
        raise CliError("--all-namespaces lists; with a name, say the namespace by -n")
    if names and choice.narrows:
        raise CliError("--selector, --phase and --flow choose among all: give no names with them")
    others = [one.word.plural for one in wanted if one.word.plural != "executions"]
    if others and (choice.phase or choice.flow):
        raise CliError(f"--phase and --flow select executions only, not {', '.join(others)}")


async def _found(session: Session, wanted: Wanted, choice: Choice) -> list[JsonObject]:
    _, kind = wanted.word.api
    if wanted.names:
        items = [await finding.named(session, wanted.word, name) for name in wanted.names]
        return ordered(wanted.word, items, choice) if choice.sort_by else items
    fields = f"status.phase={choice.phase}" if choice.phase else ""
    namespace = None if choice.everywhere else session.namespace
    found = await session.cluster.list(kind, namespace, labels=choice.selector, fields=fields)
    return ordered(wanted.word, [item for item in found.items if choice.takes(item)], choice)


def ordered(word: kinds.Word, items: Iterable[JsonObject], choice: Choice) -> list[JsonObject]:
    """Return objects sorted as asked, else Executions and Messages by age and others by name.

    Raises CliError.
    """
    model, _ = word.api
    path = _path(model, choice.sort_by) if choice.sort_by else None
    by_age = word.plural in ("executions", "messages")

    def key(item: JsonObject) -> tuple[Any, ...]:
        metadata = item["metadata"]
        return (
            _comparable(tables.at(item, path)) if path else (),
            metadata["creationTimestamp"] if by_age else "",
            metadata.get("namespace", ""),
            metadata["name"],
        )

    return sorted(items, key=key)


def _path(model: type[Resource], said: str) -> str:
    path = tables.column_path(model, said)
    if path is None:
        path = said.strip("{}'\"")
        path = path if path.startswith(".") else f".{path}"
        if not re.match(r"\.(metadata|spec|status)\.", path):
            known = ", ".join(["name", *(column[0].lower() for column in model.COLUMNS)])
            raise CliError(
                f"--sort-by {said!r}: take a column of {model.PLURAL} ({known}), or a path such as "
                ".metadata.creationTimestamp"
            )
    return path


def _comparable(found: object) -> tuple[int, float, str]:
    """Return what values are compared by: those that are missing, numbers, texts."""
    if found is None:
        return (0, 0.0, "")
    if isinstance(found, bool | int | float):
        return (1, float(found), "")
    return (2, 0.0, str(found))


def _print(
    session: Session,
    wanted: Wanted,
    items: list[JsonObject],
    choice: Choice,
    way: Output,
    *,
    headers: bool,
) -> None:
    model, _ = wanted.word.api
    single = len(wanted.names) == 1
    if way not in TABLES:
        printing.show(session, model, items, way, single=single)
        return
    if not items:
        say(nothing(session, wanted.word, choice))
        return
    lines = printing.table(session, model, items, way, namespaces=choice.everywhere)
    if single and model is Execution:
        run = Execution.model_validate(items[0])
        tries = tables.of_tries(run, now=session.now(), terminal=session.out)
        lines += ["", *tries] if tries else []
    print("\n".join(lines[0 if headers else 1 :]))


def nothing(session: Session, word: kinds.Word | None, choice: Choice) -> str:
    """Return what is said where there is nothing to list, with what to do about it."""
    where = "any namespace" if choice.everywhere else f'namespace "{session.namespace}"'
    if word is None:
        return f"nothing of Weir's in {where}"
    if choice.narrows:
        return f"no {word.plural} in {where} that are chosen by --selector, --phase and --flow"
    hint = word.hint.format(program=program())
    elsewhere = "" if choice.everywhere else "; -A looks in all namespaces"
    return f"no {word.plural} in {where}: {hint}{elsewhere}"
