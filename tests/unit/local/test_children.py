"""Children without a cluster: made, found, waited for, failing."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import flow_api
import weir_local
from flow_api import Execution, System
from weir_local import Flows, Local, LocalError, flow
from weir_protocol.arguments import ChildArguments, WaitArguments

LEAF = """
def handler(system, this, inputs):
    this.log('leaf', n=inputs.get('n'))
    return {'n': inputs.get('n', 0) * 2}
"""
BROKEN = "def handler(system, this):\n    return 1 / 0\n"
BRANCH = "def handler(system, this):\n    this.flow('broken')\n"


def test_a_child_is_found_by_name_title_and_slug() -> None:
    def main(system: System, this: Execution) -> dict[str, Any]:
        words = ("My Leaf", "my-leaf", "my_leaf")
        return {word: this.flow(word, n=1).get("output_value")["n"] for word in words}

    run = weir_local.run(main, flows={"My Leaf": LEAF})
    assert run.outputs == {"My Leaf": 2, "my-leaf": 2, "my_leaf": 2}
    assert [child.flow_name for child in run.children] == ["my-leaf"] * 3


def test_names_and_uids_are_the_same_each_time() -> None:
    def main(system: System, this: Execution) -> None:
        this.flow("leaf", n=1)
        this.flow("leaf", n=2)

    first, second = (weir_local.run(main, flows={"leaf": LEAF}) for _ in range(2))
    assert [one.name for one in first.walk()] == [one.name for one in second.walk()]
    assert [one.uid for one in first.walk()] == [one.uid for one in second.walk()]
    assert len({one.name for one in first.walk()}) == 3


def test_children_run_side_by_side_each_in_a_thread() -> None:
    meeting = threading.Barrier(3, timeout=5)
    threads = set()

    def meet(system: System, this: Execution) -> None:
        meeting.wait()
        threads.add(threading.current_thread().name)

    def main(system: System, this: Execution) -> None:
        this.wait_for([this.flow("meet", wait=False) for _ in range(3)])

    run = weir_local.run(main, flows={"meet": meet})
    assert run.is_success
    assert threads == {child.name for child in run.children}


def test_a_failure_names_its_leaf_at_every_level() -> None:
    def main(system: System, this: Execution) -> None:
        this.flow("branch")

    run = weir_local.run(main, flows={"branch": BRANCH, "broken": BROKEN})
    leaf = run.child("branch").child("broken")
    said = f"execution {leaf.name} (broken) failed: ZeroDivisionError: division by zero (line 2)"
    assert (run.reason, run.message) == ("DependencyFailed", said)
    assert run.child("branch").message == said
    assert run.cause is not None
    assert run.cause.execution == leaf.name
    assert isinstance(run.error, flow_api.DependencyFailedError)
    assert isinstance(leaf.error, ZeroDivisionError)


def test_a_traceback_shows_the_scripts_lines_under_its_own_name() -> None:
    run = weir_local.run(BRANCH, flows={"broken": BROKEN})
    assert run.child("broken").traceback.splitlines()[:3] == [
        "Traceback (most recent call last):",
        '  File "broken.py", line 2, in handler',
        "    return 1 / 0",
    ]
    # Two scripts of one name: each quotes its own lines.
    inner = "def handler(system, this):\n    inner = 1 / 0\n"
    outer = f"SOURCE = {inner!r}\ndef handler(system, this):\n    this.script(SOURCE)\n"
    run = weir_local.run(outer)
    told = run.child("script").traceback
    assert '  File "script.py", line 3, in handler\n    this.script(SOURCE)' in run.traceback
    assert '  File "script.py", line 2, in handler\n    inner = 1 / 0' in told


@pytest.mark.parametrize(
    ("source", "reason", "message"),
    [
        ("def handler(:\n", "SyntaxError", "line 1, column 13: invalid syntax"),
        ("x = 1\n", "NoHandler", "the script defines no function `handler`"),
        ("async def handler(a, b): pass\n", "NoHandler", "line 1: `handler` is an async function"),
    ],
)
def test_a_script_that_cannot_run_fails_as_on_a_cluster(
    source: str, reason: str, message: str
) -> None:
    inline = weir_local.run(source)
    assert inline.reason == reason
    assert (inline.message or "").startswith(message)
    stored = weir_local.run("bad", flows={"bad": source})
    assert stored.reason == "FlowNotReady"
    assert (stored.message or "").startswith(f"Flow bad is not ready: {reason}: {message}")
    assert not stored.log


def test_what_a_child_is_must_be_said_once() -> None:
    def main(system: System, this: Execution) -> None:
        answer = this._backend.perform("child", ChildArguments(flow="a", script="b"))
        assert answer.error is not None
        this.log(answer.error.message)
        answer = this._backend.perform("child", ChildArguments(script="x" * 300_000))
        assert answer.error is not None
        this.log(answer.error.message)
        this.flow("nowhere")

    run = weir_local.run(main)
    assert run.log == [
        "a child is one of a flow, a script and a connection",
        "a script has 1 to 204800 characters",
    ]
    assert isinstance(run.error, flow_api.ResourceNotFoundError)
    assert str(run.error) == 'there is no flow "nowhere" in namespace default'


def test_a_tree_has_an_end() -> None:
    def deeper(system: System, this: Execution) -> None:
        this.flow("deeper")

    run = weir_local.run(deeper, flows={"deeper": deeper})
    (*_, deepest) = run.walk()
    assert deepest.reason == "TooDeep"
    assert len(list(run.walk())) == 34


def test_a_wait_refuses_what_makes_no_sense() -> None:
    def main(system: System, this: Execution) -> None:
        for uids in (["nobody"], [this.get("id")], ["x"] * 10_001):
            answer = this._backend.perform("wait", WaitArguments(uids=uids))
            assert answer.error is not None
            this.log(f"{answer.error.type}: {answer.error.message}")

    assert weir_local.run(main).log == [
        "ResourceNotFoundError: there is no execution nobody",
        "InvalidInputError: an execution cannot wait for itself",
        "InvalidInputError: a wait takes at most 10000 executions",
    ]


def test_another_tree_is_out_of_reach() -> None:
    local = Local()
    other = local.start("def handler(system, this):\n    pass\n")
    local.wait(other)

    def main(system: System, this: Execution) -> None:
        answer = this._backend.perform("wait", WaitArguments(uids=[other.uid]))
        assert answer.error is not None
        this.log(f"{answer.error.type}: {answer.error.message}")

    run = local.run(main)
    assert run.log == [f"PermissionDenied: execution {other.name} is not of the tree of {run.name}"]


def test_protected_inputs_and_titles_are_those_of_the_call() -> None:
    def main(system: System, this: Execution) -> None:
        child = this.flow("leaf", n=4, name="the fourth", protect_inputs=["n"])
        this.set_output("title", child.get("name"))

    run = weir_local.run(main, flows={"leaf": LEAF})
    assert run.outputs == {"title": "the fourth"}
    assert run.child("the fourth").inputs == {"n": 4}


def test_files_and_folders_are_flows(tmp_path: Any) -> None:
    (tmp_path / "my_leaf.py").write_text(LEAF)
    (tmp_path / "__init__.py").write_text("")
    flows = Flows()
    flows.add_folder(tmp_path)
    assert [one.title for one in flows] == ["my_leaf"]
    assert Local(flows).run("My leaf", {"n": 2}).outputs == {"n": 4}
    assert Local().run(tmp_path / "my_leaf.py", {"n": 3}).outputs == {"n": 6}
    with pytest.raises(LocalError, match="there is no flow 'other'; there are: my_leaf"):
        Local(flows).run("other")
    with pytest.raises(LocalError, match="there is no file"):
        flow(tmp_path / "gone.py")
    with pytest.raises(LocalError, match="there is no folder"):
        flows.add_folder(tmp_path / "gone")
    with pytest.raises(LocalError, match="a flow is a file, the text of a script, or a function"):
        flow(3)  # type: ignore[arg-type]


def test_the_newest_success_with_the_same_inputs_is_taken_from_the_cache() -> None:
    calls = []

    def costly(system: System, this: Execution, inputs: dict[str, Any]) -> dict[str, Any]:
        calls.append(inputs)
        return {"n": len(calls)}

    def main(system: System, this: Execution) -> dict[str, Any]:
        cached = this.using("cache", max_age_minutes=10)
        first = cached.flow("costly", key="a").get("output_value")
        again = cached.flow("costly", key="a").get("output_value")
        this.sleep(3600)
        late = cached.flow("costly", key="a").get("output_value")
        return {"first": first, "again": again, "late": late}

    run = weir_local.run(main, flows={"costly": costly})
    assert run.outputs == {"first": {"n": 1}, "again": {"n": 1}, "late": {"n": 2}}
