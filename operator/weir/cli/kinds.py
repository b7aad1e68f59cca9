"""The kinds that the command knows, by the words that people have for them. Light: it is asked at
each completion.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

from weir.cli.errors import CliError, program

if TYPE_CHECKING:
    from weir.api.resource import Resource
    from weir.cluster.kinds import Kind


class Word(NamedTuple):
    """What one kind is called, and what to do where there is none of it."""

    plural: str
    kind: str
    shorts: tuple[str, ...]
    hint: str  # a sentence; {program} is what the command is called by

    @property
    def singular(self) -> str:
        """How one object is called in `kind/name`."""
        return self.kind.lower()

    @property
    def all(self) -> tuple[str, ...]:
        """Every word for it."""
        return (self.plural, self.singular, *self.shorts)

    @property
    def api(self) -> tuple[type[Resource], Kind]:
        """Its model, and the kind as the API's paths name it."""
        from weir.api import names
        from weir.cluster import kinds  # half a second of imports: not for --help

        model = _models()[self.plural]
        return model, kinds.Kind(names.GROUP, names.VERSION, self.plural)


WORDS = (
    Word("executions", "Execution", ("exe",), "`{program} run FLOW` starts one"),
    Word(
        "flows",
        "Flow",
        ("fl",),
        "`{program} init` makes a repository with one, `kubectl apply -f FILE` brings a manifest",
    ),
    Word("schedules", "Schedule", ("sched",), "`kubectl apply` makes one: docs/schedules.md"),
    Word("webhooks", "Webhook", ("hook",), "`kubectl apply -f FILE` makes one: docs/webhooks.md"),
    Word(
        "flowrepositories",
        "FlowRepository",
        ("flrepo",),
        "`{program} init` writes the manifest of one: docs/repositories.md",
    ),
    Word("connectors", "Connector", (), "`kubectl apply -f FILE` makes one: docs/connectors.md"),
    Word("settings", "Setting", (), "scripts make them, and `kubectl apply`: docs/settings.md"),
    Word("schemas", "Schema", (), "scripts make them, and `kubectl apply`: docs/schemas.md"),
    Word("messages", "Message", (), "runs make them when they ask people: docs/messages.md"),
)
EVERY = "all"
SUSPENDABLE = ("flows", "schedules", "flowrepositories")
"""Kinds with a spec.suspend."""


def _models() -> dict[str, type[Resource]]:
    from weir.api.connector import Connector
    from weir.api.execution import Execution
    from weir.api.flow import Flow
    from weir.api.message import Message
    from weir.api.repository import FlowRepository
    from weir.api.schedule import Schedule
    from weir.api.schema import Schema
    from weir.api.setting import Setting
    from weir.api.webhook import Webhook

    models: tuple[type[Resource], ...] = (
        *(Execution, Flow, Schedule, Webhook, FlowRepository),
        *(Connector, Setting, Schema, Message),
    )
    return {model.PLURAL: model for model in models}


def find(word: str) -> Word | None:
    """Return the kind that is called so."""
    return next((one for one in WORDS if word.lower() in one.all), None)


class NoKind(CliError):
    """Something else stands where a kind belongs, perhaps the name of an object."""

    def __init__(self, word: str, verb: str, plural: str = "flows") -> None:
        known = ", ".join(one.plural for one in WORDS)
        super().__init__(
            f"{word!r} is no kind; the kind comes first: `{program()} {verb} {plural} {word}`. "
            f"There are {known}"
        )
        self.word = word


def named(word: str, verb: str) -> Word:
    """Return the kind that is called so. Raises NoKind, CliError. `verb` is the call."""
    found = find(word)
    if found is not None:
        return found
    close = get_close_matches(word.lower(), [one for kind in WORDS for one in kind.all], n=1)
    if close:
        known = ", ".join(one.plural for one in WORDS)
        raise CliError(f"there is no kind {word!r}; do you mean {close[0]}? There are {known}")
    raise NoKind(word, verb)
