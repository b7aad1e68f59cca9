"""The Message: a question that a run asks people, and their answer."""

from typing import Annotated, ClassVar

from pydantic import Field

from weir.api.resource import AnyObject, Model, Resource, Time

MAX_SUBJECT = 1000
MAX_TEXT = 64 * 1024


class AskingExecution(Model):
    """The Execution that asks."""

    name: Annotated[str, Field(max_length=63)]
    """Its name."""
    uid: Annotated[str, Field(max_length=64)]
    """Its UID."""
    try_number: Annotated[int, Field(ge=1, alias="try")] = 1
    """Its try that asks."""
    sequence: Annotated[int, Field(ge=1)] = 1
    """The number of the operation that asks."""


class MessageSpec(Model):
    """What is asked. Never changed after creation, but for the response."""

    subject: Annotated[str, Field(min_length=1, max_length=MAX_SUBJECT)]
    """What it is about, in one line."""
    message: Annotated[str | None, Field(max_length=MAX_TEXT)] = None
    """The text, in Markdown."""
    body: AnyObject = None
    """The form: `{type: object, properties: {NAME: {element: string, …}}, required: [NAME]}`.

    Without body and request there is only an OK button.
    """
    request: Annotated[str | None, Field(max_length=MAX_TEXT)] = None
    """Asks for one text, the field `string`, instead of a form."""
    execution: AskingExecution
    """The Execution that asks."""
    response: AnyObject = None
    """The answer, by patching this field: an object with the form's fields.

    It is checked against the form; a refused one may be given again, an accepted one stays.
    """


class MessageStatus(Model):
    """What became of the question."""

    accepted: bool | None = None
    """Whether there is an answer that fits; false: the last response was refused."""
    error: Annotated[str | None, Field(max_length=4096)] = None
    """Which fields of the last response do not fit, and why."""
    response: AnyObject = None
    """The accepted answer, with defaults filled in: what the script is given."""
    responded_by: Annotated[str | None, Field(max_length=1024)] = None
    """Who answered, if through the REST API, as `weir respond` does."""
    time: Time | None = None
    """When the answer was accepted."""
    closed: bool | None = None
    """True: the run does not wait for an answer any more, so none is taken."""
    observed_generation: int | None = None
    """The generation whose response was looked at."""


def _same(part: str, field: str) -> str:
    old, new = f"oldSelf.{part}", f"self.{part}"
    return (
        f"has({new}.{field}) == has({old}.{field}) "
        f"&& (!has({new}.{field}) || {new}.{field} == {old}.{field})"
    )


def _was(field: str) -> str:
    return f"has(oldSelf.status) && has(oldSelf.status.{field}) && oldSelf.status.{field}"


class Message(Resource):
    """A question that a run asks people."""

    PLURAL: ClassVar[str] = "messages"
    KIND: ClassVar[str] = "Message"
    COLUMNS: ClassVar[tuple[tuple[str, str, str, bool], ...]] = (
        ("Subject", "string", ".spec.subject", False),
        ("Execution", "string", ".spec.execution.name", False),
        ("Answered", "boolean", ".status.accepted", False),
        ("By", "string", ".status.respondedBy", True),
        ("Closed", "boolean", ".status.closed", True),
        ("Error", "string", ".status.error", True),
        ("Age", "date", ".metadata.creationTimestamp", False),
    )
    SELECTABLE: ClassVar[tuple[str, ...]] = (".spec.execution.name",)
    RULES: ClassVar[tuple[tuple[str, str], ...]] = (
        ("!has(self.spec.body) || !has(self.spec.request)", "spec has either body or request"),
        *(
            (_same("spec", field), f"spec.{field} cannot be changed")
            for field in ("subject", "message", "body", "request", "execution")
        ),
        (
            f"!({_was('accepted')}) || ({_same('spec', 'response')})",
            "the message has been answered: its response stays",
        ),
        (
            f"!({_was('closed')}) || ({_same('spec', 'response')})",
            "the message is closed: the run does not wait for a response any more",
        ),
        *(
            (
                f"!({_was('accepted')}) || (has(self.status) && {_same('status', field)})",
                f"an answered Message keeps its {field}",
            )
            for field in ("accepted", "response", "respondedBy", "time")
        ),
        (
            f"!({_was('closed')}) || (has(self.status) && {_same('status', 'closed')} "
            f"&& {_same('status', 'accepted')})",
            "a closed Message stays closed",
        ),
    )

    spec: MessageSpec
    status: MessageStatus = MessageStatus()
