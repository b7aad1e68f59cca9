"""What follows from a Message as it is: its form, and what its status is to say. No I/O, no clock
but the `now` that is given.
"""

from __future__ import annotations

from datetime import datetime

from weir.api.execution import Execution
from weir.api.message import Message
from weir.api.resource import JsonObject, render_time
from weir.core.views import MASK
from weir_protocol import forms
from weir_protocol.forms import Form, FormError, ResponseError

_LONGEST = 4000


def form_of(message: Message) -> Form:
    """Return the form of a Message. Raises FormError."""
    return forms.form(message.spec.body, message.spec.request)


def answer(message: Message) -> JsonObject:
    """Return the accepted response as the script is given it: None where a field was left out,
    which the API server does not keep.
    """
    response = message.status.response or {}
    try:
        fields = [field.name for field in form_of(message).fields if field.takes_value]
    except FormError:
        fields = []
    return dict.fromkeys(fields) | response


def is_open(message: Message) -> bool:
    """Whether an answer is still taken."""
    return not (message.status.accepted or message.status.closed)


def is_over(message: Message, execution: Execution | None) -> bool:
    """Whether the run that asks has no use for an answer any more: it ended, or tries again.

    An Execution that is not known is given the benefit of the doubt: the Message goes with it.
    """
    if execution is None:
        return False
    return (
        execution.phase.is_final
        or (execution.status.try_number or 1) > message.spec.execution.try_number
    )


def is_due(message: Message, execution: Execution | None) -> bool:
    """Whether there may be something to settle: a new response, or a run that is over."""
    looked_at = message.status.observed_generation == message.metadata.generation
    answered = message.spec.response is not None and not looked_at
    return is_open(message) and (answered or is_over(message, execution))


def settled(message: Message, execution: Execution | None, *, now: datetime) -> JsonObject | None:
    """Return the status that a Message is to be given, or None: it stays as it is.

    A response that was written to the spec is accepted or refused; a question of a run that is over
    is closed. A notice, which nobody needs to hear of, can be acknowledged for as long as it is
    there.
    """
    if not is_open(message):
        return None
    try:
        form = form_of(message)
    except FormError as error:
        # Not made by Weir: its server refuses such a form.
        if message.status.observed_generation == message.metadata.generation:
            return None
        return _refused(message, f"the form cannot be drawn: {error}")
    if is_over(message, execution) and not form.is_notice:
        return {"closed": True}
    if message.spec.response is None:
        return None
    if message.status.observed_generation == message.metadata.generation:
        return None  # it was refused
    try:
        return accepted(message, form.completed(message.spec.response), now=now)
    except ResponseError as error:
        return _refused(message, str(error))


def accepted(
    message: Message, response: JsonObject, *, now: datetime, by: str | None = None
) -> JsonObject:
    """Return the status of a Message that is answered; `by` is None where that is not known."""
    return {
        "accepted": True,
        "response": response,
        "respondedBy": by,
        "time": render_time(now, exact=True),
        "error": None,
        "observedGeneration": message.metadata.generation,
    }


def _refused(message: Message, why: str) -> JsonObject:
    return {
        "accepted": False,
        "error": why if len(why) <= _LONGEST else f"{why[:_LONGEST]}…",
        "observedGeneration": message.metadata.generation,
    }


def public(item: JsonObject) -> JsonObject:
    """Return a Message's object, as the API has it, without the values of password fields."""
    spec, status = item.get("spec") or {}, item.get("status") or {}
    body = spec.get("body")
    if not isinstance(body, dict) or not (secret := _secrets(body)):
        return item
    properties = {
        name: {**about, "default": MASK} if name in secret and "default" in about else about
        for name, about in body["properties"].items()
    }
    shown = {**item, "spec": {**spec, "body": {**body, "properties": properties}}}
    for part, fields in (("spec", shown["spec"]), ("status", status)):
        response = fields.get("response")
        if isinstance(response, dict):
            hidden = {
                name: MASK if name in secret and value is not None else value
                for name, value in response.items()
            }
            shown[part] = {**fields, "response": hidden}
    return shown


def _secrets(body: JsonObject) -> frozenset[str]:
    try:
        return forms.form(body).secrets
    except FormError:
        return frozenset()
