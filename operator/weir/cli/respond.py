"""`weir respond`: answers a message, through Weir's server or, where it cannot be reached, by
patching the Message.
"""

from __future__ import annotations

import asyncio
import json
import sys

from weir.api.message import Message
from weir.api.resource import JsonObject
from weir.cli import messages, printing
from weir.cli.errors import CliError, ExitCode, Interrupted, program
from weir.cli.output import LISTS, way_of
from weir.cli.prompting import Abandoned, Prompter
from weir.cli.server import ServerRefused, reached
from weir.cli.session import Session
from weir.cli.terminal import one_line, say
from weir.cluster.errors import ClusterError, Invalid
from weir.cluster.kinds import MESSAGES
from weir.core.messages import form_of, is_open
from weir_protocol.forms import Form, FormError, ResponseError

# How long the server may take to look at a response that was patched.
_PATIENCE = 15.0


async def respond(
    session: Session,
    word: str | None,
    *,
    fields: list[str],
    response: str | None,
    output: str | None = None,
) -> ExitCode:
    """Answer a Message. Raises CliError, ClusterError, Interrupted."""
    way = way_of(output, LISTS) if output is not None else None
    message = await messages.found(session, word)
    name = message.metadata.name
    if message.status.accepted:
        raise CliError(f"{messages.line(message)} was answered before", ExitCode.UNABLE)
    if not is_open(message):
        raise CliError(
            f"{messages.line(message)} is closed: its run does not wait for an answer any more",
            ExitCode.UNABLE,
        )
    try:
        form = form_of(message)
    except FormError as error:
        raise CliError(f"the form of message {name} cannot be drawn: {error}") from None
    if fields or response is not None:
        given = gathered(form, fields, response)
    elif sys.stdin.isatty():
        given = _asked(session, message, form)
    elif form.is_notice:
        given = {}
    else:
        raise CliError(
            f"message {name} has a form: say its fields by --set or --response "
            f"({', '.join(f'--set {field}=…' for field in _names(form))})"
        )
    try:
        form.completed(given)
    except ResponseError as error:
        raise CliError(f"message {name}: {error}") from None
    await _send(session, message, given)
    if way is None:
        print(f"message/{name} answered", flush=True)
    else:
        item = await session.cluster.get(MESSAGES, session.namespace, name)
        printing.show(session, Message, [item], way, single=True)
    return ExitCode.SUCCEEDED


def gathered(form: Form, fields: list[str], response: str | None) -> JsonObject:
    """Return the response of the command line; `--set` beats `--response`. Raises CliError."""
    given: JsonObject = {}
    if response is not None:
        try:
            whole = json.loads(response)
        except ValueError as error:
            raise CliError(f"--response is no JSON: {error}") from None
        if not isinstance(whole, dict):
            raise CliError('--response is an object with the form\'s fields, such as {"ok": true}')
        given = whole
    for pair in fields:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise CliError(f"--set {pair!r}: write field=value")
        field = form.field(key)
        try:
            # An OK button has no field; what is unknown is named by the check of the whole.
            given[key] = field.value_of(text) if field else text == "true" or text
        except ResponseError as error:
            raise CliError(f"--set {error}") from None
    return given


def _asked(session: Session, message: Message, form: Form) -> JsonObject:
    spec = message.spec
    try:
        return Prompter(session.err).fill_in(form, subject=spec.subject, text=spec.message)
    except (Abandoned, KeyboardInterrupt):
        raise Interrupted(
            f"message/{message.metadata.name} still waits. `{program()} respond "
            f"{message.metadata.name}` answers it."
        ) from None


def _names(form: Form) -> list[str]:
    return [field.name for field in form.fields if field.takes_value] or [
        button.name for button in form.buttons
    ]


async def _send(session: Session, message: Message, given: JsonObject) -> None:
    name = message.metadata.name
    try:
        async with reached(session) as server:
            await server.respond(session.namespace, name, given)
            return
    except ServerRefused as error:
        raise CliError(f"message {name}: {error.message}", error.code) from None
    except (CliError, ClusterError) as error:
        say(
            session.err.paint(
                f"answered without Weir's server ({one_line(error.message)}): it will not say who "
                "answered",
                "yellow",
            )
        )
    await _patch(session, message, given)


async def _patch(session: Session, message: Message, given: JsonObject) -> None:
    """Write the response, and wait until Weir's server has looked at it."""
    name = message.metadata.name
    # A patch merges: what was refused before is to go.
    earlier = dict.fromkeys(message.spec.response or {})
    body = {"spec": {"response": {**earlier, **given}}}
    try:
        item = await session.cluster.patch(MESSAGES, session.namespace, name, body)
    except Invalid as error:
        raise CliError(f"message {name}: {error.message}", ExitCode.UNABLE) from None
    generation = Message.model_validate(item).metadata.generation
    try:
        async with asyncio.timeout(_PATIENCE):
            settled = await _settled(session, name, generation)
    except TimeoutError:
        raise CliError(
            f"the response of message {name} is written, but Weir's server has not looked at it "
            f"yet: `{program()} get messages {name} -o wide` shows when it has",
            ExitCode.UNABLE,
        ) from None
    if not settled.status.accepted:
        why = settled.status.error or "it is closed: its run does not wait for it any more"
        raise CliError(f"message {name}: {why}", ExitCode.UNABLE)


async def _settled(session: Session, name: str, generation: int) -> Message:
    async for change in session.cluster.watch(
        MESSAGES, session.namespace, fields=f"metadata.name={name}"
    ):
        if change.object:
            seen = Message.model_validate(change.object)
            if not is_open(seen) or (seen.status.observed_generation or 0) >= generation:
                return seen
    raise AssertionError("a watch goes on for ever")
