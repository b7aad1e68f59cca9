"""What scripts ask people, and what they make of the answer."""

from collections.abc import Callable
from typing import Any

import pytest

import flow_api
from flow_api import Execution, Message, System
from tests.unit.flow_api.fake_backend import FakeBackend, view
from weir_protocol.arguments import MessageArguments, ResponseArguments

FORM = {"properties": {"name": {"element": "string"}, "approve": {"element": "submit"}}}


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def this(backend: FakeBackend) -> Any:
    return Execution(backend, view(), own=True)


SENT: dict[str, tuple[Callable[[Any], Any], MessageArguments]] = {
    "a subject": (lambda this: this.message("Done"), MessageArguments(subject="Done")),
    "by keyword": (
        lambda this: this.message(subject="Done", message="**all** of it"),
        MessageArguments(subject="Done", message="**all** of it"),
    ),
    "a request": (
        lambda this: this.message("Who?", request="text"),
        MessageArguments(subject="Who?", request="text"),
    ),
    "a form": (
        lambda this: this.message("Release?", body=FORM),
        MessageArguments(subject="Release?", body=FORM),
    ),
    "a text that is none": (
        lambda this: this.message("Rows", {"rows": 3}),
        MessageArguments(subject="Rows", message='{"rows": 3}'),
    ),
}


@pytest.mark.parametrize("case", SENT)
def test_what_is_asked(this: Any, backend: FakeBackend, case: str) -> None:
    call, expected = SENT[case]
    call(this)
    assert backend.of_kind("message") == [expected]
    assert backend.of_kind("response") == [ResponseArguments(name="message-x1")]


def test_this_waits_and_system_does_not(this: Any, backend: FakeBackend) -> None:
    assert this.message("Go on?").get("response") == {"ok": True}
    backend.operations.clear()
    sent = System(backend).message("Go on?")
    assert sent.get("is_answered", "response") == (False, None)
    assert this.message("Go on?", wait=False).get("response") is None
    assert backend.of_kind("response") == []
    assert System(backend).message("Go on?", wait=True).get("is_answered")


def test_waiting_is_asked_for_once(backend: FakeBackend, this: Any) -> None:
    message = this.message("Go on?", wait=False)
    assert message.wait(timeout=60).wait() is message
    message.load("response")
    assert backend.of_kind("response") == [ResponseArguments(name="message-x1", timeout=60)]


def test_nobody_answers_in_time(backend: FakeBackend, this: Any) -> None:
    backend.unanswered = True
    with pytest.raises(flow_api.MessageResponseTimeoutError, match="nobody answered"):
        this.message("Go on?", timeout=60)
    message = this.message("Go on?", wait=False)
    assert message.load("is_answered") is False
    backend.unanswered = False
    assert message.load("response", "is_answered") == ({"ok": True}, True)


def test_fields_are_read_by_their_names(this: Any) -> None:
    message = this.message("Release?", "Ready.", body=FORM, wait=False)
    assert message.get("id") == message.get("name") == "message-x1"
    assert message.get("subject", "message", "body") == ("Release?", "Ready.", FORM)
    assert message.get("request") is None
    assert repr(message) == "<Message 'Release?' waiting>"
    with pytest.raises(ValueError, match="a message has no field 'text'; it has id, name"):
        message.get("text")
    with pytest.raises(ValueError, match="no field 'text'"):
        message.load("text")
    with pytest.raises(TypeError, match="at least one field"):
        message.get()
    assert message.load() is None


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda this: this.message(" "), TypeError, "subject must be a text"),
        (lambda this: this.message(3), TypeError, "subject must be a text"),
        (lambda this: this.message("?", request=3), TypeError, "request must be a text"),
        (lambda this: this.message("?", body=[1]), TypeError, "body must be a dict"),
        (lambda this: this.message("?", body={"a": {1}}), TypeError, r"body\['a'\] is a set"),
        (lambda this: this.message("?", timeout=-1), ValueError, "a timeout is a number"),
        (lambda this: this.flow("x").message("?"), flow_api.PermissionDenied, "only `this`"),
    ],
)
def test_what_cannot_be_asked(this: Any, call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call(this)


def test_the_older_argument_is_taken_and_noted(this: Any, backend: FakeBackend) -> None:
    this.message("Disk full", message_type="WARN")
    assert backend.of_kind("message") == [MessageArguments(subject="Disk full")]
    assert backend.logged == [("message_type='WARN' is not used any more", None)]


def test_the_log_does_not_show_passwords(this: Any, backend: FakeBackend) -> None:
    fields = {"name": {"element": "password"}, "approve": {"element": "submit"}}
    this.message("Who?", body={"properties": fields})
    assert backend.hidden == ["Ada"]


def test_messages_are_a_public_type(this: Any) -> None:
    assert isinstance(this.message("Go on?"), Message)
    assert Message.__module__ == "flow_api"


INPUTS: dict[str, Callable[[Any], Any]] = {
    "connect": lambda this: this.connect(connector_type="INPUT", request="Your name"),
    "task": lambda this: this.task("INPUT", {"request": "Your name"}),
    "later": lambda this: this.task("INPUT", request="Your name", run=False).run(),
    "waited for": lambda this: this.task("INPUT", request="Your name", wait=False).wait(),
    "loaded": lambda this: _loaded(this.task("INPUT", request="Your name", wait=False)),
}


def _loaded(asked: Any) -> Any:
    asked.load("status")
    return asked


@pytest.mark.parametrize("case", INPUTS)
def test_a_connection_of_type_input_asks_people(this: Any, backend: FakeBackend, case: str) -> None:
    asked = INPUTS[case](this)
    assert asked.get("status") == "ENDED_SUCCESS"
    assert asked.get("output_value") == {"response": "Ada"}
    assert asked.get("type", "connector_type") == ("CONNECTION", "INPUT")
    assert asked.get("input_value") == {"request": "Your name"}
    assert backend.of_kind("message") == [
        MessageArguments(subject="Your name", request="Your name")
    ]
    assert backend.of_kind("child") == []
    assert asked.exists()


def test_the_inputs_of_input(this: Any, backend: FakeBackend) -> None:
    asked = this.task("INPUT", request="Your name", reference=7, timeout=5, name="who")
    assert asked.get("output_value") == {"response": "Ada", "reference": 7}
    assert asked.get("name") == "who"
    assert backend.of_kind("message")[0].subject == "who"
    assert backend.of_kind("response")[0].timeout == 300
    assert repr(asked) == "<Input 'who' ENDED_SUCCESS>"


def test_input_that_nobody_answers_fails_like_a_child(this: Any, backend: FakeBackend) -> None:
    backend.unanswered = True
    with pytest.raises(flow_api.DependencyFailedError, match="nobody answered") as failed:
        this.task("INPUT", request="Your name", timeout=5)
    assert failed.value.execution is not None
    assert failed.value.execution.get("status") == "ENDED_ERROR"
    all_ended = flow_api.ReturnWhen.ALL_ENDED
    asked = this.task("INPUT", request="Your name", timeout=5, wait=all_ended)
    assert asked.get("status", "message") == ("ENDED_ERROR", "nobody answered")
    waiting = this.task("INPUT", request="Your name", wait=False)
    assert waiting.get("status") == "WAITING"
    with pytest.raises(flow_api.DependencyTimeoutError):
        waiting.wait(timeout=1)
    assert waiting.load("status") == "WAITING"


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda this: this.task("INPUT"), flow_api.MissingInputError, "'request'"),
        (lambda this: this.task("INPUT", request=""), flow_api.InvalidInputError, "'request'"),
        (
            lambda this: this.task("INPUT", request="?", timeout="5"),
            flow_api.InvalidInputError,
            "a number of minutes",
        ),
        (
            lambda this: this.task("INPUT", request="?", subject="x"),
            flow_api.ExtraInputError,
            "it has request, reference, timeout",
        ),
        (lambda this: this.task("INPUT", request="?", run=False).wait(), TypeError, "run()"),
        (lambda this: this.using("retry").task("INPUT", request="?"), TypeError, "no using"),
        (
            lambda this: this.wait_for(this.task("INPUT", request="?", wait=False)),
            TypeError,
            "waits for executions",
        ),
    ],
)
def test_what_input_cannot(this: Any, call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call(this)
