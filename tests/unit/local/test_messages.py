"""Messages without a cluster: answered by the test, or by nobody."""

from __future__ import annotations

from typing import Any

import flow_api
from flow_api import Execution, System
from weir_local import Local
from weir_local.people import Question, ScriptedPeople

FORM = {"type": "object", "properties": {"rows": {"element": "number"}}}


def local(**answers: Any) -> Local:
    return Local(people=ScriptedPeople(answers), skip_time=True)


def test_a_message_is_answered_by_its_subject() -> None:
    def main(system: System, this: Execution) -> None:
        this.log(this.message("Who", request="text").get("response"))
        this.log(this.message("Rows", body=FORM).get("response"))
        this.log(this.message("Other", "a notice").get("response"))

    def others(question: Question) -> dict[str, Any]:
        assert question.message == "a notice"
        return {}

    run = local(Who="Ada", Rows={"rows": 3}, **{"*": others}).run(main)
    assert run.log == ['{"string": "Ada"}', '{"rows": 3}', '{"ok": true}']


def test_what_nobody_answers_times_out() -> None:
    def main(system: System, this: Execution) -> None:
        message = this.message("Who", request="text", wait=False)
        this.log(message.load("is_answered"))
        try:
            message.wait(timeout=3600)
        except flow_api.MessageResponseTimeoutError as error:
            this.log(str(error))

    run = local().run(main)
    assert run.log == ["false", "nobody answered the message 'Who' within 3600 s"]


def test_an_answer_that_does_not_fit_is_the_tests_fault() -> None:
    def main(system: System, this: Execution) -> None:
        this.message("Rows", body=FORM)

    run = local(Rows={"rows": "three"}).run(main)
    assert isinstance(run.error, flow_api.InternalError)
    assert "the answer to the message 'Rows' does not fit: rows: must be a number" in str(run.error)


def test_a_form_that_cannot_be_drawn_is_refused() -> None:
    def main(system: System, this: Execution) -> None:
        this.message("Rows", body={"type": "object", "properties": {"a": {"element": "dial"}}})

    assert isinstance(local().run(main).error, flow_api.SchemaError)


def test_a_connection_of_type_input_asks_too() -> None:
    def main(system: System, this: Execution) -> dict[str, Any]:
        return dict(this.connect(connector_type="INPUT", request="Your name").get("output_value"))

    assert local(**{"Your name": "Ada"}).run(main).outputs == {"response": "Ada"}
