"""Wrappers: retry, timeout, cache and notify around a child."""

from collections.abc import Callable
from typing import Any

import pytest

import flow_api
from flow_api import Execution, ReturnWhen
from tests.unit.flow_api.fake_backend import FakeBackend, view
from weir_protocol import Answer, ErrorInfo


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def this(backend: FakeBackend) -> Execution:
    return Execution(backend, view(), own=True)


def kinds(backend: FakeBackend) -> list[str]:
    return [kind for kind, _ in backend.operations]


def test_retry_tries_until_a_child_succeeds_and_hides_those_before(
    this: Execution, backend: FakeBackend
) -> None:
    backend.fails_until = 2
    child = this.using("retry", max_tries=5, delay_sec=7).flow("greet", person="Ada")
    assert child.get("output_value") == {"greeting": "Hello, Ada"}
    one = ["child", "wait", "archive", "sleep"]
    assert kinds(backend) == [*one, *one, "child", "wait"]
    assert [slept.seconds for slept in backend.of_kind("sleep")] == [7, 7]
    assert backend.logged[0][0] == "try 1 of 5 ended badly, the next comes in 7 s"


def test_retry_raises_what_the_last_try_came_to(this: Execution, backend: FakeBackend) -> None:
    with pytest.raises(flow_api.DependencyFailedError):
        this.using("retry", max_tries=2, delay_sec=0, archive_retries=False).flow("may fail")
    assert kinds(backend) == ["child", "wait", "sleep", "child", "wait"]


def test_retry_does_not_repeat_what_cannot_come_right(
    this: Execution, backend: FakeBackend
) -> None:
    with pytest.raises(flow_api.ResourceNotFoundError):
        this.using("retry").flow("missing")
    assert kinds(backend) == ["child"]


def test_a_wrapped_failure_is_returned_to_who_waits_for_ends_only(this: Execution) -> None:
    wrapped = this.using("retry", max_tries=1)
    assert wrapped.flow("may fail", wait=ReturnWhen.ALL_ENDED).get("status") == "ENDED_ERROR"


class Slow(FakeBackend):
    """Children that never end in time."""

    def _wait(self, arguments: Any) -> Answer:
        assert arguments.timeout is not None
        late = ErrorInfo(type="DependencyTimeoutError", message=f"{arguments.timeout:g} s")
        return Answer(state="failed", error=late)


@pytest.mark.parametrize(
    ("wrapped", "waited"),
    [
        pytest.param(lambda this: this.using("timeout", timeout_sec=3), 3, id="timeout"),
        pytest.param(
            lambda this: this.using("retry", max_tries=1, timeout_sec=4), 4, id="of each try"
        ),
        pytest.param(
            lambda this: this.using("timeout", timeout_sec=3).using(
                "retry", max_tries=1, timeout_sec=4
            ),
            3,
            id="the shorter of two",
        ),
    ],
)
def test_what_takes_too_long_is_cancelled(
    wrapped: Callable[[Execution], Any], waited: float
) -> None:
    backend = Slow()
    with pytest.raises(flow_api.DependencyTimeoutError, match=f"{waited} s"):
        wrapped(Execution(backend, view(), own=True)).flow("greet")
    assert kinds(backend) == ["child", "wait", "cancel"]


def test_cache_hands_out_a_former_success(this: Execution, backend: FakeBackend) -> None:
    found = this.using("cache", max_age_minutes=5).flow("greet", person="Grace")
    assert found.get("output_value") == {"greeting": "Hello again, Grace"}
    (asked,) = backend.of_kind("cached")
    assert (asked.flow, asked.inputs, asked.max_age) == ("greet", {"person": "Grace"}, 300)
    assert backend.of_kind("child") == []


def test_cache_runs_what_was_not_run_before(this: Execution, backend: FakeBackend) -> None:
    made = this.using("cache").flow("greet", person="Ada")
    assert made.get("output_value") == {"greeting": "Hello, Ada"}
    assert len(backend.of_kind("child")) == 1


def test_notify_leaves_a_message_about_a_failure(this: Execution, backend: FakeBackend) -> None:
    with pytest.raises(flow_api.DependencyFailedError):
        this.using("notify", to="ops").flow("may fail")
    (message,) = backend.of_kind("message")
    assert message.subject == "may fail failed"
    assert "To: ops" in message.message
    assert "ValueError: boom" in message.message


def test_notify_tells_of_a_success_only_when_asked(this: Execution, backend: FakeBackend) -> None:
    this.using("notify").flow("greet")
    assert backend.of_kind("message") == []
    this.using("notify", notify_on_success=True, subject="Done").flow("greet")
    assert [message.subject for message in backend.of_kind("message")] == ["Done"]


@pytest.mark.parametrize(
    ("call", "raised", "text"),
    [
        pytest.param(
            lambda this: this.using("repeat"), ValueError, "there is no wrapper", id="unknown"
        ),
        pytest.param(
            lambda this: this.using("retry", tries=3), TypeError, "no option 'tries'", id="option"
        ),
        pytest.param(
            lambda this: this.using("retry", max_tries=0), ValueError, "from 1 on", id="no try"
        ),
        pytest.param(
            lambda this: this.using("timeout"), ValueError, "timeout_sec", id="no timeout"
        ),
        pytest.param(
            lambda this: this.using("cache").flow("greet", wait=False),
            TypeError,
            "no wait=False",
            id="not waited for",
        ),
        pytest.param(
            lambda this: this.using("cache").flow("greet", run=False),
            TypeError,
            "no run=False",
            id="not run",
        ),
    ],
)
def test_a_wrong_use_is_refused(
    this: Execution, call: Callable[[Execution], Any], raised: type[Exception], text: str
) -> None:
    with pytest.raises(raised, match=text):
        call(this)
