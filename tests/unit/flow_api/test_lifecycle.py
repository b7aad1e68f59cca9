"""Copies, templates, parents and children, and what else is done with executions."""

import pytest

import flow_api
from flow_api import Execution
from tests.unit.flow_api.fake_backend import FakeBackend, view
from weir_protocol import Answer, ErrorInfo


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def this(backend: FakeBackend) -> Execution:
    return Execution(backend, view(), own=True)


def test_a_template_makes_nothing_until_it_is_cloned(this: Execution, backend: FakeBackend) -> None:
    template = this.flow("greet", save=False, person="nobody", language="en", name="hello")
    assert backend.operations == []
    assert (template.get("name"), template.get("status")) == ("hello", "NEW")
    assert not template.exists()
    clone = template.clone(person="Ada")
    (made,) = backend.of_kind("child")
    assert (made.flow, made.title) == ("greet", "hello")
    assert made.inputs == {"person": "Ada", "language": "en"}
    assert clone.get("status") == "ENDED_SUCCESS"
    assert template.get("input_value") == {"person": "nobody", "language": "en"}


def test_a_clone_may_be_called_otherwise_and_not_be_waited_for(
    this: Execution, backend: FakeBackend
) -> None:
    this.flow("greet", person="Ada").clone(name="again", wait=False)
    assert [made.title for made in backend.of_kind("child")] == [None, "again"]
    assert len(backend.of_kind("wait")) == 1


def test_what_another_run_made_is_cloned_by_what_is_seen_of_it(
    this: Execution, backend: FakeBackend
) -> None:
    this.flow("greet", person="Ada")
    (seen,) = this.children()
    seen.clone(person="Grace", wait=False)
    assert backend.of_kind("child")[1].inputs == {"person": "Grace"}


def test_a_script_that_another_run_made_cannot_be_cloned(this: Execution) -> None:
    this.script("def handler(system, this): pass")
    (seen,) = this.children()
    with pytest.raises(flow_api.InvalidInputError, match="only flows and connections"):
        seen.clone()


def test_the_parent_is_read_by_its_id(backend: FakeBackend) -> None:
    child = Execution(backend, view(parent_id="above"), own=True)
    parent = child.parent()
    assert parent is not None
    assert parent.get("id") == "above"


def test_a_deleted_child_exists_no_more(this: Execution, backend: FakeBackend) -> None:
    child = this.flow("greet", person="Ada")
    child.delete()
    gone = ErrorInfo(type="ResourceNotFoundError", message="it was deleted")
    backend.answer = Answer(state="failed", error=gone)
    assert not child.exists()


def test_a_run_that_is_waited_for_as_asked(this: Execution, backend: FakeBackend) -> None:
    child = this.flow("may fail", run=False)
    child.run(wait=flow_api.ReturnWhen.ALL_ENDED)
    assert child.get("status") == "ENDED_ERROR"
    child.run(wait=False)
    assert len(backend.of_kind("wait")) == 1


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), "3", True, None])
def test_a_sleep_needs_a_number_of_seconds(this: Execution, seconds: object) -> None:
    with pytest.raises(ValueError, match="number of seconds"):
        this.sleep(seconds)  # type: ignore[arg-type]


def test_a_webhooks_answer_is_an_output_and_the_end(this: Execution) -> None:
    with pytest.raises(flow_api.ExecutionSuccess):
        this.webhook_html_response("<p>thanks</p>")
    answer = this.get("output_value")["webhook_response"]
    assert (answer["status"], answer["body"]) == (200, "<p>thanks</p>")
    assert answer["headers"]["content-type"].startswith("text/html")
    with pytest.raises(ValueError, match="200 to 599"):
        this.webhook_response(99)
