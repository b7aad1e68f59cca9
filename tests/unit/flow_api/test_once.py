"""`this.once`: recorded, and answered from the record."""

from typing import NoReturn

import pytest

import flow_api
from flow_api import Execution
from tests.unit.flow_api.fake_backend import FakeBackend, view
from weir_protocol import Answer, ErrorInfo


class OwnError(Exception):
    """An exception of the script."""


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def this(backend: FakeBackend) -> Execution:
    return Execution(backend, view(), own=True)


def raising(error: BaseException) -> NoReturn:
    raise error


def test_it_is_called_with_what_was_given_and_recorded(
    this: Execution, backend: FakeBackend
) -> None:
    quotient: object = this.once(divmod, 7, 2)
    assert quotient == [3, 1]
    asked, done = backend.of_kind("once")
    assert (asked.name, asked.step) == ("divmod", "ask")
    assert (done.name, done.step, done.value) == ("divmod", "done", [3, 1])


def test_a_recorded_result_is_returned_without_a_call(
    this: Execution, backend: FakeBackend
) -> None:
    backend.recorded = Answer(state="done", value="recorded")
    assert this.once(lambda: raising(AssertionError("called"))) == "recorded"


@pytest.mark.parametrize("error", [KeyError("k"), OwnError("own"), flow_api.PermissionDenied("no")])
def test_what_it_raised_is_raised_and_recorded_and_raised_again(
    this: Execution, backend: FakeBackend, error: Exception
) -> None:
    with pytest.raises(type(error)):
        this.once(raising, error)
    failed = backend.of_kind("once")[1]
    assert failed.error_type == type(error).__name__
    recorded = ErrorInfo(type=failed.error_type, message=failed.error_message)
    backend.recorded = Answer(state="failed", error=recorded)
    with pytest.raises(type(error), match=failed.error_message):
        this.once(raising, error)


def test_an_exception_that_is_known_no_more_says_its_name(
    this: Execution, backend: FakeBackend
) -> None:
    lost = ErrorInfo(type="LostError", message="gone")
    backend.recorded = Answer(state="failed", error=lost)
    with pytest.raises(flow_api.InternalError, match="LostError: gone"):
        this.once(print)


def test_a_result_that_is_no_json_is_said_to_be_the_functions(this: Execution) -> None:
    def today() -> object:
        return {"at": object()}

    with pytest.raises(TypeError, match=r"what today returned\['at'\]"):
        this.once(today)


def test_a_call_in_place_of_a_function_is_noticed(this: Execution) -> None:
    with pytest.raises(TypeError, match="leave out its parentheses"):
        this.once(3)  # type: ignore[arg-type]
