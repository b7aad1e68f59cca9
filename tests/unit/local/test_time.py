"""Time that jumps where everybody only waits, and goes its way where somebody works."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import flow_api
import weir_local
from flow_api import Execution, System
from weir_local import Local, NothingHappens
from weir_local.clock import Clock


def test_a_sleep_of_a_year_takes_no_time_and_is_counted() -> None:
    def main(system: System, this: Execution) -> None:
        this.sleep(365 * 24 * 3600)
        this.sleep(1.5)

    run = weir_local.run(main)
    assert run.slept == 365 * 24 * 3600 + 1.5
    assert run.duration is not None
    assert run.duration >= run.slept


def test_a_jump_never_goes_back() -> None:
    clock = Clock(skips=True, wall=lambda: 100.0)
    clock.jump_to(150.0)
    clock.jump_to(120.0)
    assert clock.now() == 150.0


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(1, 1000), min_size=1, max_size=6, unique=True))
def test_sleepers_wake_in_the_order_of_time(lengths: list[int]) -> None:
    woken: list[int] = []

    def sleeper(system: System, this: Execution, inputs: dict[str, Any]) -> None:
        this.sleep(inputs["seconds"] * 1000)
        woken.append(inputs["seconds"])

    def main(system: System, this: Execution) -> None:
        this.wait_for([this.flow("sleeper", wait=False, seconds=one) for one in lengths])

    run = weir_local.run(main, flows={"sleeper": sleeper})
    assert run.is_success
    assert woken == sorted(lengths)


def test_a_timeout_passes_before_what_comes_later() -> None:
    def sleeper(system: System, this: Execution) -> None:
        this.sleep(1000)

    def main(system: System, this: Execution) -> None:
        child = this.flow("sleeper", wait=False)
        try:
            child.wait(timeout=999)
        except flow_api.DependencyTimeoutError as error:
            this.log(str(error).replace(child.get("object_name"), "NAME"), child.load("status"))
        child.wait(timeout=999)

    run = weir_local.run(main, flows={"sleeper": sleeper})
    assert run.is_success
    assert run.log == ["NAME had not ended after 999 s WAITING"]


def test_a_run_that_waits_for_nothing_is_told_so() -> None:
    def main(system: System, this: Execution) -> None:
        this.log("before")
        this.message("Go on?", request="text")

    with pytest.raises(NothingHappens) as raised:
        weir_local.run(main)
    assert "waits for an answer to the message 'Go on?'" in str(raised.value)
    assert raised.value.result is not None
    assert raised.value.result.log == ["before"]


def test_time_does_not_jump_while_the_caller_does_something_else() -> None:
    def main(system: System, this: Execution) -> None:
        this.sleep(3600)

    local = Local(skip_time=True)
    root = local.start(main)
    before = local.world.clock.now()
    assert local.result(root).status in ("RUNNING", "WAITING")
    assert local.world.clock.now() - before < 60
    assert local.passes(root, 3601)


def test_a_sleep_needs_a_moment() -> None:
    from weir_protocol.arguments import SleepArguments

    def main(system: System, this: Execution) -> None:
        for arguments in (
            SleepArguments(),
            SleepArguments(seconds=1, until=1),
            SleepArguments(until=1e12),
        ):
            answer = this._backend.perform("sleep", arguments)
            assert answer.error is not None
            this.log(answer.error.message)

    assert weir_local.run(main).log == [
        "a sleep has either seconds or until",
        "a sleep has either seconds or until",
        "a sleep ends before the year 10000",
    ]
