"""`weir get`: executions, flows and connectors as tables, JSON, YAML, or names."""

from __future__ import annotations

import json
from enum import StrEnum

from weir.api.connector import Connector
from weir.api.execution import Execution
from weir.api.flow import Flow
from weir.api.message import Message
from weir.api.names import API_VERSION, ARCHIVED_LABEL
from weir.api.resource import JsonObject, Resource
from weir.cli import finding, tables
from weir.cli.errors import CliError, ExitCode, program
from weir.cli.session import Session
from weir.cli.terminal import say
from weir.cluster.errors import NotFound
from weir.cluster.kinds import CONNECTORS, EXECUTIONS, FLOWS, MESSAGES, Kind
from weir.core import messages, views

_KINDS: dict[type[Resource], Kind] = {
    Execution: EXECUTIONS,
    Flow: FLOWS,
    Connector: CONNECTORS,
    Message: MESSAGES,
}


class Output(StrEnum):
    """How `weir get` prints."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"
    NAME = "name"


def _model(word: str) -> type[Resource]:
    for model in _KINDS:
        singular = model.KIND.lower()
        if word.lower() in (model.PLURAL, singular, *model.SHORT_NAMES):
            return model
    known = ", ".join(model.PLURAL for model in _KINDS)
    raise CliError(f"there is no kind {word!r} here; there are {known}")


async def get(
    session: Session,
    word: str,
    names: list[str],
    *,
    output: str,
    phase: str | None = None,
    flow: str | None = None,
    everywhere: bool = False,
    archived: bool = False,
) -> ExitCode:
    """Print all objects of a kind, or those of the names given. Raises CliError, ClusterError."""
    way = Output(output)
    # kubectl's other form: execution/hello-x2k7q
    kind_word, slash, name = word.partition("/")
    model = _model(kind_word)
    if slash:
        names = [name, *names]
    if names and everywhere:
        raise CliError("--all-namespaces lists; with a name, say the namespace by -n")
    if model is not Execution and (phase or flow):
        raise CliError("--phase and --flow select executions only")
    if names:
        items = [await _named(session, model, finding.plain_name(one)) for one in names]
    else:
        items = await _listed(session, model, phase, flow, everywhere)
        if not archived:
            items = [item for item in items if not _is_archived(item)]
    _print(session, model, items, way, single=len(names) == 1, everywhere=everywhere)
    return ExitCode.SUCCEEDED


async def _named(session: Session, model: type[Resource], name: str) -> JsonObject:
    try:
        return await session.cluster.get(_KINDS[model], session.namespace, name)
    except NotFound:
        listing = await session.cluster.list(_KINDS[model], session.namespace)
        known = [item["metadata"]["name"] for item in listing.items]
        raise CliError(
            f'there is no {model.KIND.lower()} "{name}" in namespace "{session.namespace}"'
            + finding.near(name, known, f"{program()} get {model.PLURAL}" if known else "")
        ) from None


def _is_archived(item: JsonObject) -> bool:
    return ARCHIVED_LABEL in (item["metadata"].get("labels") or {})


async def _listed(
    session: Session,
    model: type[Resource],
    phase: str | None,
    flow: str | None,
    everywhere: bool,
) -> list[JsonObject]:
    fields = [f"status.phase={phase}"] if phase else []
    namespace = None if everywhere else session.namespace
    listing = await session.cluster.list(_KINDS[model], namespace, fields=",".join(fields))
    items = listing.items
    if flow is not None:  # spec.flow has what the author wrote; status.flow the Flow's name
        items = [item for item in items if flow in _flows_of(item)]
    return sorted(
        items,
        key=lambda item: (
            item["metadata"]["creationTimestamp"] if model is Execution else "",
            item["metadata"].get("namespace", ""),
            item["metadata"]["name"],
        ),
    )


def _flows_of(item: JsonObject) -> set[object]:
    return {item["spec"].get("flow"), (item.get("status") or {}).get("flow")}


def _print(
    session: Session,
    model: type[Resource],
    items: list[JsonObject],
    output: Output,
    *,
    single: bool,
    everywhere: bool,
) -> None:
    if output == Output.NAME:
        for item in items:
            print(f"{model.KIND.lower()}/{item['metadata']['name']}")
    elif output in (Output.JSON, Output.YAML):
        shown = [_tidy(model, item) for item in items]
        listing = {"apiVersion": "v1", "kind": "List", "items": shown}
        print(written(shown[0] if single else listing, output), end="")
    elif not items:
        where = "any namespace" if everywhere else f'namespace "{session.namespace}"'
        say(f"no {model.PLURAL} in {where}")
    else:
        lines = tables.of_resources(
            model,
            items,
            now=session.now(),
            terminal=session.out,
            wide=output == Output.WIDE,
            namespaces=everywhere,
        )
        if single and model is Execution:
            run = Execution.model_validate(items[0])
            tries = tables.of_tries(run, now=session.now(), terminal=session.out)
            lines += ["", *tries] if tries else []
        print("\n".join(lines))


def written(shown: JsonObject, output: Output) -> str:
    """Return an object as JSON or YAML."""
    if output == Output.JSON:
        return json.dumps(shown, indent=2, ensure_ascii=False) + "\n"
    import yaml

    return str(yaml.safe_dump(shown, sort_keys=False, allow_unicode=True))


def _tidy(model: type[Resource], item: JsonObject) -> JsonObject:
    """Return the object with its kind, as single objects of a list lack it, and with protected
    values hidden.
    """
    whole = {"apiVersion": API_VERSION, "kind": model.KIND} | item
    if model is Message:
        return messages.public(whole)
    return views.public(whole) if model is Execution else whole
