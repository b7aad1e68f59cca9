"""The operations `message` and `response`, and who answers messages without a cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from weir_local.errors import LocalError, Raises, denied, invalid, not_found
from weir_protocol import Answer, forms
from weir_protocol.arguments import JsonObject
from weir_protocol.naming import message_name

if TYPE_CHECKING:
    from weir_local.asked import Asked
    from weir_local.execution import Execution
    from weir_protocol.arguments import MessageArguments, ResponseArguments

MAX_SUBJECT = 1000
MAX_TEXT = 64 * 1024


@dataclass(eq=False, kw_only=True, slots=True)
class Question:
    """A message to people."""

    name: str
    subject: str
    message: str | None
    request: str | None
    body: JsonObject | None
    form: forms.Form
    execution: Execution
    response: JsonObject | None = None

    def answer(self, response: Mapping[str, Any]) -> None:
        """Answer it. Raises forms.ResponseError for what does not fit the form."""
        self.response = self.form.completed(response)


class People(Protocol):
    """Who answers messages. Called while nothing else happens, so nobody may wait here."""

    def sent(self, question: Question) -> None:
        """A message was sent; it may be answered now."""
        ...

    def awaited(self, question: Question) -> None:
        """A script waits for the answer."""
        ...


# How a test answers: a form's values; the one text that is asked for; a function of the message;
# None: never.
Reply: TypeAlias = Mapping[str, Any] | str | Callable[[Question], Any] | None


@dataclass
class ScriptedPeople:
    """People that answer as a test says, by the message's subject; `*` stands for any other."""

    answers: dict[str, Reply] = field(default_factory=dict)
    messages: list[Question] = field(default_factory=list)

    def sent(self, question: Question) -> None:
        """Answer it, if that is said. Raises LocalError for an answer that does not fit."""
        self.messages.append(question)
        answers = self.answers
        reply = answers.get(question.subject, answers.get("*"))
        if callable(reply):
            reply = reply(question)
        if reply is None:
            return
        given = {"string": reply} if isinstance(reply, str) else reply
        try:
            question.answer(given)
        except forms.ResponseError as error:
            raise LocalError(
                f"the answer to the message {question.subject!r} does not fit: {error}"
            ) from None

    def awaited(self, question: Question) -> None:
        """Nothing more to do."""


def message(asked: Asked, arguments: MessageArguments) -> Answer:
    """Ask people."""
    subject = " ".join(arguments.subject.split())
    _check_length("subject", subject, 1, MAX_SUBJECT)
    _check_length("message", arguments.message or "", 0, MAX_TEXT)
    _check_length("request", arguments.request or "", 0, MAX_TEXT)
    try:
        form = forms.form(arguments.body, arguments.request)
    except forms.FormError as error:
        raise Raises("SchemaError", str(error)) from None
    name = message_name(subject, asked.execution.uid, 1, asked.sequence)
    question = Question(
        name=name,
        subject=subject,
        message=arguments.message,
        request=arguments.request,
        body=arguments.body,
        form=form,
        execution=asked.execution,
    )
    asked.services.questions[name] = question
    asked.services.people.sent(question)
    return Answer(state="done", value={"name": name})


def response(asked: Asked, arguments: ResponseArguments) -> Answer:
    """Wait for the response to a message."""
    question = asked.services.questions.get(arguments.name)
    if question is None:
        raise not_found(f"message {arguments.name[:253]} was deleted")
    if question.execution is not asked.execution:
        raise denied(f"message {arguments.name[:253]} is another execution's")
    if question.response is None and arguments.timeout != 0:
        asked.services.people.awaited(question)
    deadline = None if arguments.timeout is None else asked.now + arguments.timeout
    found = asked.world.wait(
        lambda: question.response,
        deadline=deadline,
        execution=asked.execution,
        what=f"an answer to the message {question.subject[:200]!r}",
    )
    if found is None:
        raise Raises(
            "MessageResponseTimeoutError",
            f"nobody answered the message {question.subject[:200]!r} within "
            f"{arguments.timeout or 0:g} s",
        )
    return Answer(state="done", value=found)


def _check_length(what: str, text: str, least: int, most: int) -> None:
    if not least <= len(text) <= most:
        raise invalid(f"{what} has {least} to {most} characters")
