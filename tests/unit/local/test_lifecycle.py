"""Cancelling, pausing, deleting, timing out: without a cluster as on one."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import flow_api
import weir_local
from flow_api import Execution, System
from weir_local import Flow, Flows, Local, NothingHappens, flow

SLEEPER = """
def handler(system, this):
    try:
        this.sleep(3600)
    finally:
        this.log('tidied')
"""


def flows(**sources: Any) -> Flows:
    found = Flows()
    for name, source in sources.items():
        found.add(flow(source, name))
    return found


def test_a_computing_script_is_interrupted_in_its_own_lines() -> None:
    begun = threading.Event()

    def busy(system: System, this: Execution) -> None:
        begun.set()
        try:
            while True:
                sum(range(100))
        except flow_api.ExecutionCancel as signal:
            this.log(f"told: {signal}")
            raise
        finally:
            this.log("tidied")

    local = Local(skip_time=True)
    root = local.start(busy)
    assert begun.wait(5)
    local.world.cancel(root)
    run = local.wait(root)
    assert (run.status, run.message) == ("ENDED_CANCELLED", "cancelled on request")
    assert run.log == ["told: cancelled on request", "tidied"]


def test_a_waiting_script_hears_of_it_at_once_and_so_do_its_children() -> None:
    def main(system: System, this: Execution) -> None:
        this.flow("sleeper", name="own")

    def orphan(system: System, this: Execution) -> None:
        this.flow("sleeper", orphan=True)

    local = Local(flows(sleeper=SLEEPER), skip_time=True)
    root = local.start(main)
    assert not local.passes(root, 10)
    local.world.cancel(root)
    run = local.wait(root)
    assert [one.status for one in run.walk()] == ["ENDED_CANCELLED"] * 2
    assert run.child("own").log == ["tidied"]
    root = local.start(orphan)
    assert not local.passes(root, 10)
    local.world.cancel(root)
    run = local.wait(root)
    assert [one.status for one in run.walk()] == ["ENDED_CANCELLED", "ENDED_SUCCESS"]


def test_a_script_that_ends_otherwise_is_cancelled_all_the_same() -> None:
    def stubborn(system: System, this: Execution) -> None:
        try:
            this.sleep(3600)
        except BaseException:
            this.success("never mind")

    local = Local(skip_time=True)
    root = local.start(stubborn)
    assert not local.passes(root, 1)
    local.world.cancel(root)
    run = local.wait(root)
    assert (run.status, run.message) == ("ENDED_CANCELLED", "cancelled on request")


def test_a_script_that_does_not_end_is_left_behind() -> None:
    begun, leave = threading.Event(), threading.Event()

    def deaf(system: System, this: Execution) -> None:
        begun.set()
        leave.wait(30)

    local = Local(skip_time=True, grace=0.05)
    root = local.start(deaf)
    assert begun.wait(5)
    local.world.cancel(root)
    run = local.wait(root)
    leave.set()
    assert run.message == "cancelled; the script did not end by itself in time"


def test_who_is_cancelled_starts_nothing_more() -> None:
    def main(system: System, this: Execution) -> None:
        try:
            this.sleep(3600)
        finally:
            this.flow("sleeper")

    local = Local(flows(sleeper=SLEEPER), skip_time=True)
    root = local.start(main)
    assert not local.passes(root, 1)
    local.world.cancel(root)
    run = local.wait(root)
    assert not run.children
    assert "this execution is to be cancelled: it starts nothing more" in run.traceback


def test_a_script_cancels_itself_and_its_children() -> None:
    def main(system: System, this: Execution) -> None:
        child = this.flow("sleeper", wait=False)
        child.cancel()
        child.wait(system.return_when.ALL_ENDED)
        this.log(*child.get("status", "message"))
        this.cancel()

    run = weir_local.run(main, flows={"sleeper": SLEEPER})
    assert run.log == ["ENDED_CANCELLED cancelled on request"]
    assert (run.status, run.message) == ("ENDED_CANCELLED", "cancelled by its own script")


def test_a_failing_parent_takes_its_children_with_it() -> None:
    def main(system: System, this: Execution) -> None:
        this.flow("sleeper", wait=False)
        this.flow("sleeper", run=False)
        this.error("no")

    run = weir_local.run(main, flows={"sleeper": SLEEPER})
    assert [(one.status, one.message) for one in run.children] == [
        ("ENDED_CANCELLED", "cancelled on request"),
        ("ENDED_CANCELLED", "cancelled before it started"),
    ]


def test_a_successful_parent_leaves_its_children_going() -> None:
    def main(system: System, this: Execution) -> None:
        this.flow("sleeper", wait=False)

    run = weir_local.run(main, flows={"sleeper": SLEEPER})
    assert [one.status for one in run.walk()] == ["ENDED_SUCCESS"] * 2


def test_a_pause_holds_a_script_at_its_next_call() -> None:
    def main(system: System, this: Execution) -> None:
        child = this.flow("steps", wait=False)
        this.sleep(15)
        child.pause()
        this.sleep(100)
        this.log(child.load("status"), child.load("output_value"))
        child.run_async().wait()

    def steps(system: System, this: Execution) -> None:
        for number in range(3):
            this.sleep(10)
            this.save(output_value={"steps": number})

    run = weir_local.run(main, flows={"steps": steps})
    assert run.log == ['PAUSED {"steps": 0}']
    assert run.child("steps").outputs == {"steps": 2}


def test_a_script_pauses_itself_until_somebody_resumes_it() -> None:
    def main(system: System, this: Execution) -> None:
        this.pause()
        this.log("goes on")

    local = Local(skip_time=True)
    root = local.start(main)
    assert not local.passes(root, 10_000)
    assert local.result(root).status == "PAUSED"
    local.world.resume(root)
    assert local.wait(root).log == ["goes on"]
    with pytest.raises(NothingHappens, match="waits for somebody to resume it"):
        local.run(main)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.sampled_from(["pause", "resume", "cancel"])), max_size=6
    )
)
def test_any_order_of_pausing_resuming_and_cancelling_ends_in_one_way(
    acts: list[tuple[int, str]],
) -> None:
    def main(system: System, this: Execution) -> None:
        child = this.flow("steps", wait=False)
        this.sleep(30)
        child.wait()

    def steps(system: System, this: Execution) -> None:
        for _ in range(3):
            this.sleep(20)

    local = Local(flows(steps=steps), skip_time=True)
    root = local.start(main)
    expected = "Succeeded"
    for seconds, act in acts:
        local.passes(root, seconds)
        if act == "cancel" and not root.is_final:
            expected = "Cancelled"
        getattr(local.world, act)(root)
    local.world.resume(root)
    run = local.wait(root)
    assert run.phase == expected
    assert {one.phase for one in run.children} <= {"Succeeded", expected}
    assert (root.ended or 0) >= (root.started or root.created)


def test_a_run_that_takes_too_long_fails() -> None:
    def main(system: System, this: Execution) -> None:
        try:
            this.flow("slow")
        except flow_api.DependencyFailedError as error:
            this.log(str(error))
        this.log(this.flow("slow", run=False).load("message"))

    slow = Flow(name="slow", title="slow", script=SLEEPER, timeout="1m30s")
    found = flows(main=main)
    found.add(slow)
    run = Local(found, skip_time=True).run("main")
    child = run.children[0]
    assert (child.status, child.reason) == ("ENDED_ERROR", "TimedOut")
    assert run.log[0] == f"execution {child.name} (slow) failed: the run took longer than 1m30s"
    assert not child.log  # what a run says after its end is not kept


def test_deleted_children_are_gone() -> None:
    def main(system: System, this: Execution) -> None:
        child = this.flow("sleeper", wait=False)
        ended = this.flow("leaf")
        child.delete()
        child.delete()
        this.log(child.exists(), ended.exists())
        try:
            child.wait()
        except flow_api.DependencyFailedError as error:
            this.log(str(error).replace(child.get("object_name"), "NAME"))
        try:
            child.load()
        except flow_api.ResourceNotFoundError as error:
            this.log(str(error).replace(child.get("id"), "ID"))
        this.log(len(this.children()))

    run = weir_local.run(
        main, flows={"sleeper": SLEEPER, "leaf": "def handler(system, this):\n    pass\n"}
    )
    assert run.log == [
        "false true",
        "execution NAME (Deleted) failed: it was deleted",
        "there is no execution 'ID': it was deleted, or never was",
        "1",
    ]


def test_only_what_stands_below_is_deleted_and_what_has_ended_archived() -> None:
    def child(system: System, this: Execution) -> None:
        parent = this.parent()
        assert parent is not None
        for call in (parent.delete, parent.archive):
            try:
                call()
            except flow_api.EngineException as error:
                text = str(error).replace(this.get("object_name"), "CHILD")
                this.log(text.replace(parent.get("object_name"), "PARENT"))

    def main(system: System, this: Execution) -> None:
        this.flow("child").archive()

    run = weir_local.run(main, flows={"child": child})
    assert run.child("child").is_archived
    assert run.child("child").log == [
        "execution PARENT does not stand below CHILD: a run deletes only what it started",
        "execution PARENT is Running: only ended ones are archived",
    ]


def test_a_thread_that_is_left_behind_can_do_nothing_more() -> None:
    go, done = threading.Event(), threading.Event()
    said: list[str] = []

    def main(system: System, this: Execution) -> None:
        def later() -> None:
            go.wait(5)
            try:
                this.log("too late")
            except flow_api.InternalError as error:
                said.append(str(error))
            done.set()

        threading.Thread(target=later).start()

    weir_local.run(main)
    go.set()
    assert done.wait(5)
    assert said == ["the run has ended; its threads can do nothing more"]


def test_a_cancelled_script_is_told_although_another_thread_of_it_waits() -> None:
    begun = threading.Event()

    def main(system: System, this: Execution) -> None:
        def other() -> None:
            begun.set()
            this.sleep(3600)

        threading.Thread(target=other, daemon=True).start()
        begun.wait(5)
        try:
            this.sleep(3600)
        finally:
            print("tidied")

    local = Local()
    root = local.start(main)
    assert begun.wait(5)
    assert not local.passes(root, 0.05)
    local.world.cancel(root)
    run = local.wait(root)
    assert (run.status, run.log) == ("ENDED_CANCELLED", ["tidied"])


def test_a_function_that_is_called_once_can_be_interrupted() -> None:
    begun = threading.Event()

    def busy() -> None:
        begun.set()
        while True:
            sum(range(100))

    local = Local()
    root = local.start(lambda system, this: this.once(busy))
    assert begun.wait(5)
    local.world.cancel(root)
    assert local.wait(root).status == "ENDED_CANCELLED"


def test_a_function_that_is_called_once_is_called_once() -> None:
    def main(system: System, this: Execution) -> dict[str, Any]:
        value = this.once(lambda: (1, 2))
        try:
            this.once(lambda: this.flow("sleeper"))
        except flow_api.InternalError as error:
            this.log(str(error))
        try:
            this.once(lambda: "x" * 2**20)
        except flow_api.InvalidInputError as error:
            this.log(str(error))
        return {"value": value}

    run = weir_local.run(main, flows={"sleeper": SLEEPER})
    assert run.outputs == {"value": [1, 2]}
    assert run.log[0].startswith("a function that is called once may not call `this` or `system`")
    assert run.log[1].startswith("the result has 1048578 bytes as JSON and may have 1048576")
