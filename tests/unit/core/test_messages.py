"""What becomes of a Message, and what people may see of it."""

from typing import Any

import pytest

from tests.builders import NOW, execution
from weir.api.message import Message
from weir.api.resource import JsonObject
from weir.core.messages import accepted, answer, is_due, is_open, is_over, public, settled

FORM = {
    "properties": {
        "name": {"element": "string"},
        "pin": {"element": "password", "default": "0000"},
    },
    "required": ["name"],
}


def message(
    *, generation: int = 1, status: JsonObject | None = None, try_number: int = 1, **spec: Any
) -> Message:
    asking = {"name": "run", "uid": "execution-run", "try": try_number, "sequence": 1}
    item = {
        "metadata": {
            "name": "m",
            "namespace": "demo",
            "uid": "message-m",
            "generation": generation,
        },
        "spec": {"subject": "Who?", "execution": asking} | spec,
        "status": status or {},
    }
    return Message.model_validate(item)


RUNS = execution(status={"phase": "Waiting", "try": 1})
ENDED = execution(status={"phase": "Cancelled", "try": 1})
TRIES_AGAIN = execution(status={"phase": "Queued", "try": 2})


@pytest.mark.parametrize(
    ("asked", "run", "expected"),
    [
        pytest.param(message(body=FORM), RUNS, None, id="nobody has answered"),
        pytest.param(
            message(body=FORM, response={"pin": "1"}, generation=2),
            RUNS,
            {"accepted": False, "error": "name: is required", "observedGeneration": 2},
            id="a response that does not fit is refused",
        ),
        pytest.param(
            message(
                body=FORM,
                response={"pin": "1"},
                generation=2,
                status={"accepted": False, "error": "…", "observedGeneration": 2},
            ),
            RUNS,
            None,
            id="once",
        ),
        pytest.param(message(body=FORM), ENDED, {"closed": True}, id="the run has ended"),
        pytest.param(message(body=FORM), TRIES_AGAIN, {"closed": True}, id="the try has ended"),
        pytest.param(
            message(body=FORM, try_number=2), TRIES_AGAIN, None, id="the new try asks for itself"
        ),
        pytest.param(
            message(body=FORM, response={"name": "Ada"}),
            ENDED,
            {"closed": True},
            id="an answer that nobody hears is not accepted",
        ),
        pytest.param(message(), ENDED, None, id="a notice stays"),
        pytest.param(message(body=FORM), None, None, id="the run is not known"),
        pytest.param(
            message(body=FORM, response={"name": "Ada"}, status={"closed": True}),
            RUNS,
            None,
            id="closed stays closed",
        ),
        pytest.param(
            message(body=FORM, response={"name": "Ada"}, status={"accepted": True}),
            RUNS,
            None,
            id="answered stays answered",
        ),
        pytest.param(
            message(body={"properties": 1}, status={"observedGeneration": 1}),
            RUNS,
            None,
            id="a form of somebody else's is complained of once",
        ),
    ],
)
def test_what_the_status_is_to_say(asked: Message, run: Any, expected: JsonObject | None) -> None:
    assert settled(asked, run, now=NOW) == expected


def test_an_answer_that_fits_is_accepted_with_its_defaults() -> None:
    asked = message(body=FORM, response={"name": "Ada"}, generation=3)
    assert settled(asked, RUNS, now=NOW) == {
        "accepted": True,
        "response": {"name": "Ada", "pin": "0000"},
        "respondedBy": None,
        "time": "2026-11-24T12:00:00.000000Z",
        "error": None,
        "observedGeneration": 3,
    }


def test_a_notice_can_be_acknowledged_after_the_run() -> None:
    status = settled(message(response={}), ENDED, now=NOW)
    assert status is not None
    assert status["response"] == {"ok": True}


def test_a_form_that_cannot_be_drawn_is_refused() -> None:
    status = settled(message(body={"properties": 1}), RUNS, now=NOW)
    assert status is not None
    assert status["accepted"] is False
    assert "cannot be drawn" in status["error"]


def test_the_script_gets_all_fields() -> None:
    asked = message(body=FORM, status={"accepted": True, "response": {"name": "Ada"}})
    assert answer(asked) == {"name": "Ada", "pin": None}
    notice = message(status={"accepted": True, "response": {"ok": True}})
    assert answer(notice) == {"ok": True}
    broken = message(body={"properties": 1}, status={"accepted": True, "response": {"a": 1}})
    assert answer(broken) == {"a": 1}


def test_who_answered_is_said() -> None:
    assert accepted(message(), {"ok": True}, now=NOW, by="ada")["respondedBy"] == "ada"


def test_a_long_complaint_is_cut() -> None:
    unknown = {f"x{number}" * 50: 1 for number in range(50)}
    status = settled(message(body=FORM, response=unknown), RUNS, now=NOW)
    assert status is not None
    assert len(status["error"]) <= 4096


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({}, True),
        ({"accepted": False}, True),
        ({"accepted": True}, False),
        ({"closed": True}, False),
    ],
)
def test_what_is_open(status: JsonObject, expected: bool) -> None:
    assert is_open(message(status=status)) is expected


@pytest.mark.parametrize(
    ("asked", "run", "expected"),
    [
        pytest.param(message(), RUNS, False, id="nobody has answered"),
        pytest.param(message(response={}), RUNS, True, id="somebody has"),
        pytest.param(
            message(response={}, status={"observedGeneration": 1}), RUNS, False, id="refused before"
        ),
        pytest.param(message(), ENDED, True, id="the run has ended"),
        pytest.param(message(status={"closed": True}), ENDED, False, id="closed before"),
    ],
)
def test_whether_there_is_something_to_do(asked: Message, run: Any, expected: bool) -> None:
    assert is_due(asked, run) is expected


def test_a_run_that_is_not_known_is_not_over() -> None:
    assert not is_over(message(), None)


def test_passwords_are_not_shown() -> None:
    item: JsonObject = {
        "spec": {"body": FORM, "response": {"name": "Ada", "pin": "1234"}},
        "status": {"response": {"name": "Ada", "pin": "1234"}},
    }
    shown = public(item)
    assert "1234" not in str(shown)
    assert "0000" not in str(shown)
    assert shown["status"]["response"] == {"name": "Ada", "pin": "***"}
    assert item["status"]["response"]["pin"] == "1234"


@pytest.mark.parametrize("body", [None, {"properties": 1}, {"properties": {"a": {}}}])
def test_what_has_no_passwords_is_shown_as_it_is(body: Any) -> None:
    item = {"spec": {"body": body, "response": {"a": "x"}}}
    assert public(item) == item
