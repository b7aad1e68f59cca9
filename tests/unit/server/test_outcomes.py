"""What a report makes of an Execution."""

from typing import Any

import pytest

from weir.api.execution_status import StoredValue
from weir.api.phases import Phase
from weir.api.reasons import Reason
from weir.core import outcomes
from weir.core.outcomes import Outcome, Placed
from weir_protocol import Cause, End


def end(status: Any, **fields: Any) -> End:
    return End(uid="u", try_number=1, attempt=1, status=status, **fields)


@pytest.mark.parametrize(
    ("report", "wrong", "expected"),
    [
        pytest.param(
            end("success", message="done"), None, Outcome(Phase.SUCCEEDED, None, "done"), id="done"
        ),
        pytest.param(
            end("success"),
            "outputs: lacks n",
            Outcome(Phase.FAILED, Reason.INVALID_OUTPUTS, "outputs: lacks n"),
            id="a success with wrong outputs is none",
        ),
        pytest.param(
            end("error", reason="ScriptError", message="ValueError: boom (line 12)"),
            None,
            Outcome(Phase.FAILED, Reason.SCRIPT_ERROR, "ValueError: boom (line 12)"),
            id="an exception",
        ),
        pytest.param(
            end("error", reason="Succeeded", message="m"),
            None,
            Outcome(Phase.FAILED, Reason.SCRIPT_ERROR, "m"),
            id="a runner does not choose any reason there is",
        ),
        pytest.param(
            end("error", reason="", message=None),
            None,
            Outcome(
                Phase.FAILED,
                Reason.SCRIPT_ERROR,
                "the runner reported a failure without saying which",
            ),
            id="a failure without a word",
        ),
        pytest.param(
            end("cancelled", message="by Ada"),
            "ignored",
            Outcome(Phase.CANCELLED, Reason.CANCELLED, "by Ada"),
            id="cancelled",
        ),
    ],
)
def test_outcome(report: End, wrong: str | None, expected: Outcome) -> None:
    assert outcomes.outcome(report, wrong_outputs=wrong) == expected


def test_outputs_that_nobody_can_keep_say_how_large_they_are() -> None:
    ended = outcomes.too_large(20, 16)
    assert (ended.phase, ended.reason) == (Phase.FAILED, Reason.OUTPUT_TOO_LARGE)
    assert ended.message
    assert "20 bytes" in ended.message


@pytest.mark.parametrize(
    ("value", "protected", "expected"),
    [
        pytest.param({"a": 1}, [], Placed({"a": 1}, None), id="a small one stays inline"),
        pytest.param(
            {"a": "x" * 20}, [], Placed(None, b'{"a":"xxxxxxxxxxxxxxxxxxxx"}'), id="a large one"
        ),
        pytest.param(
            {"a": 1, "b": 2},
            ["a", "z"],
            Placed({"a": "***", "b": 2}, b'{"a":1,"b":2}'),
            id="a protected one is shown without its secret",
        ),
        pytest.param(
            {"a": 1, "b": "x" * 20},
            ["a"],
            Placed(None, b'{"a":1,"b":"xxxxxxxxxxxxxxxxxxxx"}'),
            id="a large protected one is not shown",
        ),
        pytest.param({"a": 1}, ["z"], Placed({"a": 1}, None), id="nothing of it is protected"),
    ],
)
def test_placed(value: Any, protected: list[str], expected: Placed) -> None:
    assert outcomes.placed(value, protected, 20) == expected


def test_outputs_are_inline_up_to_32_kib() -> None:
    assert outcomes.place_outputs({"a": "x" * 32 * 1024}, []).inline is None
    assert outcomes.place_outputs({"a": "x" * 31 * 1024}, []).stored is None


def test_output_fields_replace_each_other() -> None:
    reference = StoredValue(digest="d", bytes=3)
    assert outcomes.output_fields(Placed({"a": 1}, None), None) == {
        "outputs": {"a": 1},
        "outputs_ref": None,
    }
    assert outcomes.output_fields(Placed(None, b"{}"), reference)["outputs_ref"] == reference


def test_a_cause_is_cut_to_what_a_status_holds() -> None:
    assert outcomes.cause_status(None) is None
    held = outcomes.cause_status(Cause(execution="e", title="t" * 300, message="m" * 5000))
    assert held is not None
    assert (len(held.title), len(held.message)) == (253, 4096)


def test_any_text_of_a_script_becomes_json() -> None:
    assert outcomes.as_json({"ä": "\ud800"}).decode(errors="surrogatepass") == '{"ä":"\ud800"}'
