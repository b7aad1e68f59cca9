"""`weir suspend` and `weir unsuspend`: flows, schedules and repositories rest, and go on."""

from __future__ import annotations

from collections.abc import Sequence

from weir.api.names import REPOSITORY_LABEL
from weir.api.resource import JsonObject
from weir.cli import finding, kinds, printing
from weir.cli.errors import CliError, ExitCode, program
from weir.cli.get import read_words
from weir.cli.output import LISTS, way_of
from weir.cli.session import Session
from weir.cluster.errors import NotFound
from weir.cluster.kinds import FLOW_REPOSITORIES


async def suspend(
    session: Session, words: Sequence[str], suspended: bool, *, output: str | None
) -> ExitCode:
    """Set spec.suspend. Nothing is changed when one of the names is unknown, or would be undone.

    `words` are KIND NAME…, or KIND/NAME…. Raises CliError, ClusterError.
    """
    way = way_of(output, LISTS) if output is not None else None
    verb = "suspend" if suspended else "unsuspend"
    found: list[tuple[kinds.Word, JsonObject]] = []
    for wanted in read_words(words, verb):
        _check(wanted.word, verb)
        if not wanted.names:
            raise CliError(f"say which: {program()} {verb} {wanted.word.singular} NAME…")
        for name in wanted.names:
            found.append((wanted.word, await finding.named(session, wanted.word, name)))
    for word, item in found:
        if _is_suspended(item) != suspended:
            await _require_own(session, word, item, verb)
    changed = []
    for word, item in found:
        changed.append((word, await _set(session, word, item, suspended, tell=way is None)))
    if way is not None:
        printing.show_mixed(session, [(word.api[0], item) for word, item in changed], way)
    return ExitCode.SUCCEEDED


def _check(word: kinds.Word, verb: str) -> None:
    if word.plural in kinds.SUSPENDABLE:
        return
    instead = {
        "executions": f"; `{program()} pause` holds a run, `{program()} resume` lets it go on",
        "webhooks": "; a Webhook is turned off and on by its spec.enabled",
    }.get(word.plural, "")
    raise CliError(f"{verb} knows {', '.join(kinds.SUSPENDABLE)}, not {word.plural}{instead}")


def _is_suspended(item: JsonObject) -> bool:
    return bool(item["spec"].get("suspend"))


async def _require_own(session: Session, word: kinds.Word, item: JsonObject, verb: str) -> None:
    """Raise CliError for what comes from a repository that would undo the change."""
    name = item["metadata"]["name"]
    repository = (item["metadata"].get("labels") or {}).get(REPOSITORY_LABEL)
    if repository is None:
        return
    try:
        owner = await session.cluster.get(FLOW_REPOSITORIES, session.namespace, repository)
    except NotFound:
        return
    if not _is_suspended(owner):
        raise CliError(
            f"{word.singular} {name} comes from FlowRepository {repository}, which would undo "
            f"this: set `suspend` in its file there, or first `{program()} suspend flowrepository "
            f"{repository}`",
            ExitCode.UNABLE,
        )


async def _set(
    session: Session, word: kinds.Word, item: JsonObject, suspended: bool, *, tell: bool
) -> JsonObject:
    model, kind = word.api
    state = "suspended" if suspended else "not suspended"
    if _is_suspended(item) != suspended:
        body = {"spec": {"suspend": suspended}}
        item = await session.cluster.patch(kind, session.namespace, item["metadata"]["name"], body)
        state = "suspended" if suspended else "no longer suspended"
    if tell:
        print(f"{printing.name_of(model, item)} is {state}", flush=True)
    return item
