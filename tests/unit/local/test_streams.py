"""What is printed goes to the log of whoever prints."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import weir_local
from flow_api import Execution, System
from weir_local.execution import Execution as Running
from weir_protocol import LogLine

THREADS = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor

def handler(system, this, inputs):
    def work(n):
        print(inputs['who'], n)
    thread = threading.Thread(target=work, args=(1,))
    thread.start()
    thread.join()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, [2, 3]))
    print('no end', end='')
    print('to stderr', file=sys.stderr)
"""
TYPES = """
import dataclasses, pickle, typing

@dataclasses.dataclass
class Row:
    n: 'Number'

Number = {kind}

def handler(system, this, inputs):
    if inputs.get('child'):
        this.flow('other')
    assert typing.get_type_hints(Row) == {{'n': {kind}}}
    return {{'row': pickle.loads(pickle.dumps(Row({kind}(1)))).n, 'module': Row.__module__}}
"""


def test_each_execution_has_its_own_prints_those_of_its_threads_too() -> None:
    def main(system: System, this: Execution) -> None:
        print("before")
        this.wait_for([this.flow("threads", wait=False, who=who) for who in ("a", "b")])
        print("after")

    run = weir_local.run(main, flows={"threads": THREADS})
    assert run.is_success, run.message
    assert run.log == ["before", "after"]
    for who, child in zip("ab", run.children, strict=True):
        assert sorted(child.log) == [*(f"{who} {n}" for n in (1, 2, 3)), "no end", "to stderr"]
        assert [one.text for one in child.entries if one.stream == "stderr"] == ["to stderr"]


def test_what_others_print_goes_where_it_went_before(capsys: pytest.CaptureFixture[str]) -> None:
    stdout, stderr = sys.stdout, sys.stderr

    def main(system: System, this: Execution) -> None:
        outside = threading.Thread(target=lambda: stdout.write("outside\n"))
        outside.start()
        outside.join()
        print("inside")

    run = weir_local.run(main)
    assert run.log == ["inside"]
    assert capsys.readouterr().out == "outside\n"
    assert (sys.stdout, sys.stderr) == (stdout, stderr)
    assert "flow_script" not in sys.modules


def test_each_script_is_found_as_a_module_in_its_own_thread() -> None:
    run = weir_local.run(
        "main",
        {"child": True},
        {"main": TYPES.format(kind="int"), "other": TYPES.format(kind="float")},
    )
    assert run.is_success, run.traceback
    assert run.outputs == {"row": 1, "module": "flow_script"}
    assert run.child("other").outputs == {"row": 1.0, "module": "flow_script"}


def test_a_log_is_heard_as_it_is_written() -> None:
    heard = []

    def hear(execution: Running, line: LogLine) -> None:
        heard.append((execution.name, line.text))

    local = weir_local.Local(listen=hear)
    run = local.run("def handler(system, this):\n    print('a')\n    this.log('b')\n")
    assert heard == [(run.name, "a"), (run.name, "b")]


def test_debuggers_and_coverage_see_the_file_itself(tmp_path: Path) -> None:
    path = tmp_path / "traced.py"
    path.write_text("def handler(system, this):\n    answer = 42\n    return {'a': answer}\n")
    seen = set()

    def trace(frame: FrameType, event: str, _: object) -> Any:
        if event == "line" and frame.f_code.co_filename == str(path):
            seen.add(frame.f_lineno)
        return trace

    threading.settrace(trace)
    try:
        run = weir_local.run(path)
    finally:
        threading.settrace(None)
    assert run.outputs == {"a": 42}
    assert seen == {1, 2, 3}
