"""flow_api installed from its wheel, as an author has it: what a type checker sees of a flow."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
UV = shutil.which("uv") or str(ROOT / ".tools" / "bin" / "uv")

Checker = Callable[[str], list[str]]

FLOW = """\
import flow_api


def handler(system: flow_api.System, this: flow_api.Execution, inputs: dict[str, object]) -> object:
"""


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": "", "MYPYPATH": ""},
    )
    assert not done.stderr or done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a Python that has nothing but flow_api, from its wheel."""
    folder = tmp_path_factory.mktemp("author")
    run(UV, "build", "--wheel", "--quiet", "--out-dir", ".", str(ROOT / "runner-image"), cwd=folder)
    (wheel,) = folder.glob("*.whl")
    run(UV, "venv", "--quiet", "--python", sys.executable, "venv", cwd=folder)
    found = str(folder / "venv" / "bin" / "python")
    run(UV, "pip", "install", "--quiet", "--no-deps", "--python", found, str(wheel), cwd=folder)
    return found


@pytest.fixture(scope="module")
def check(python: str, tmp_path_factory: pytest.TempPathFactory) -> Checker:
    """Return what checks the lines of a handler, and returns the checker's words for each."""
    folder = tmp_path_factory.mktemp("flows")

    def check(lines: str) -> list[str]:
        body = "".join(f"    {line}\n" for line in dedent(lines).strip().splitlines())
        (folder / "flow.py").write_text(FLOW + body)
        said = run(
            *(sys.executable, "-m", "mypy", "--strict", "--no-error-summary"),
            *("--python-executable", python, "flow.py"),
            cwd=folder,
        )
        return [
            re.sub(r"^flow\.py:\d+: \w+: ", "", line)
            for line in said.splitlines()
            if not line.startswith("flow.py") or ": note: Possible" not in line
        ]

    return check


TYPES = {
    "this.flow('x')": "flow_api._execution.Execution",
    "this.flow('x', wait=False, name='n', rows=3)": "flow_api._execution.Execution",
    "this.connect(connector_type='GIT', command='get')": "flow_api._execution.Execution",
    "this.script('…').run_async()": "flow_api._execution.Execution",
    "this.wait_for(this.flow('x'))": "list[flow_api._execution.Execution]",
    "this.flow('x').wait(system.return_when.ALL_ENDED)": "flow_api._execution.Execution",
    "system.setting('s').acquire()": "flow_api._records.Setting",
    "system.flows()": "list[flow_api._resource.Resource]",
    "system.execution('id')": "flow_api._execution.Execution",
    "this.get('output_value')": "dict[str, Any]",
    "this.get('status')": "str",
    "this.get('message')": "str | None",
    "this.get('is_productive')": "bool",
    "this.get('status', 'name')": "Any",
    "this.load('output_value')": "dict[str, Any]",
    "this.success": "def (message: str | None =) -> Never",
}


def test_the_types_of_calls_are_known(check: Checker) -> None:
    said = check("\n".join(f"reveal_type({call})" for call in TYPES) + "\nreturn inputs")
    found = [re.findall(r'^Revealed type is "(.*)"$', line)[0] for line in said]
    assert dict(zip(TYPES, found, strict=True)) == TYPES


MISTAKES = {
    "this.flow()": "flow",
    "this.flow(person='Ada')": "flow",
    "this.flow(5)": "int",
    "this.output": "output",
    "this.sucess('done')": "sucess",
    "this.flow('x').get('status').foo": "foo",
    "system.log('x')": "log",
    "this.wait_for('x')": "wait_for",
    "flow_api.DependencyFailed": "DependencyFailed",
    "child: int = this.flow('x')": "int",
    "this.end()": "end",  # the last one: nothing comes after it
}


def test_mistakes_are_errors(check: Checker) -> None:
    said = check("\n".join(MISTAKES))
    for mistake, word in MISTAKES.items():
        assert [line for line in said if f'"{word}"' in line], mistake


def test_code_after_the_end_is_seen_as_such(check: Checker) -> None:
    assert check("this.success('done')\nreveal_type(inputs)") == []


def test_a_flow_without_mistakes_has_none(check: Checker) -> None:
    lines = """
        children = [this.flow('weigh', wait=False, batch=number) for number in range(3)]
        for child in this.wait_for(*children):
            this.log(child.get('output_value')['weights'], status=child.get('status'))
        try:
            this.flow('may fail')
        except flow_api.DependencyFailedError as error:
            if error.execution is not None:
                this.log(error.execution.get('message'))
        this.set_output('rows', 3)
        return this.success('all done')
        """
    assert check(lines) == []


def test_every_public_name_can_be_imported(python: str, tmp_path: Path) -> None:
    names: Any = run(python, "-c", "import flow_api; print(*flow_api.__all__)", cwd=tmp_path)
    for name in names.split():
        assert run(python, "-c", f"from flow_api import {name}; print(1)", cwd=tmp_path) == "1\n"
