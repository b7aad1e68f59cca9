"""What `weir lint` says of scripts, one table per kind of finding."""

import re
from pathlib import Path
from textwrap import dedent, indent

import pytest

from weir.core.lint_rules import RULES, Severity
from weir.core.linting import INSTALLED, check, fails

ROOT = Path(__file__).parents[3]


def body(lines: str) -> str:
    """Return a script whose handler has these lines, from line 2 on."""
    return f"def handler(system, this, inputs):\n{indent(dedent(lines).strip(), '    ')}\n"


def said(script: str, **options: bool) -> list[str]:
    """Return the findings as `line:column CODE message`."""
    return [f"{one.line}:{one.column} {one.code} {one.message}" for one in check(script, **options)]


FOUND: dict[str, tuple[str, list[str]]] = {
    # W101
    "a flow without its name": (
        "this.flow(person='Ada')",
        ["2:5 W101 `this.flow(…)` without its first argument"],
    ),
    "a connection without a connector": (
        "this.connect(url='x')",
        ["2:5 W101 `this.connect(…)` without a connector"],
    ),
    "a connection by its type": (
        "this.connect(connector_type='GIT', command='get', repository_url='u')",
        [],
    ),
    "a flow with its name somewhere": ("this.flow(*inputs['args'])", []),
    "a flow of something else": ("other.flow()", []),
    # W102
    "a call that is spelt otherwise": (
        "this.sucess('done')",
        ["2:5 W102 `this` has no `sucess`"],
    ),
    "outputs as an attribute of a child": (
        "child = this.flow('x')\nthis.log(child.output)",
        ["3:14 W102 `child` has no `output`"],
    ),
    "outputs as an attribute of a call": (
        "this.log(this.flow('x').outputs)",
        ["2:14 W102 `this.flow('x')` has no `outputs`"],
    ),
    "a field that is assigned to": (
        "this.message = 'half way'",
        ["2:5 W102 `this.message` cannot be assigned to"],
    ),
    "a call of this on system": ("system.log('x')", ["2:5 W102 `system` has no `log`"]),
    "a name that flow_api has not": (
        "import flow_api\nraise flow_api.DependencyFailed",
        ["3:11 W102 `flow_api` has no `DependencyFailed`"],
    ),
    "a variable that is a child now and then": (
        "child = this.flow('x')\nchild = {}\nchild.output",
        [],
    ),
    "a variable of a loop": ("for child in inputs:\n    child.output", []),
    "this with another meaning": ("this = inputs\nthis.output", []),
    # W103
    "a field that is not there": (
        "this.get('output')",
        ["2:14 W103 an execution has no field 'output'"],
    ),
    "one of several fields": (
        "child = this.flow('x')\nchild.load('status', 'mesage')",
        ["3:26 W103 an execution has no field 'mesage'"],
    ),
    "a field that cannot be set": (
        "this.save(status='ENDED_SUCCESS')",
        ["2:15 W103 a script cannot set 'status'"],
    ),
    "a key of a dict": ("inputs.get('output')", []),
    "a field that is computed": ("this.get(inputs['field'])", []),
    # W104
    "an unknown keyword": (
        "this.wait_for(this.flow('x', wait=False), timout=3)",
        ["2:5 W104 `this.wait_for(…)`: got an unexpected keyword argument 'timout'"],
    ),
    "a missing argument": (
        "this.end()",
        ["2:5 W104 `this.end(…)`: missing a required argument: 'status'"],
    ),
    "keywords from a dict": ("this.end(**inputs)", []),
    # W105
    "an await in an async function": (
        "async def main():\n    await this.flow('x')",
        ["3:9 W105 `await this.flow('x')`: calls of flow_api are no coroutines"],
    ),
    # W106
    "a record that is run": (
        "system.flow('x').run()",
        ["2:5 W106 `system.flow(…)` is a record of the flow and cannot `run`"],
    ),
    # W107
    "a dict without return": (
        "rows = 5\n{'rows': rows}",
        ["3:5 W107 a dict that nobody keeps"],
    ),
    "outputs that are forgotten": (
        "outputs = {}\noutputs['rows'] = 5\noutputs.update(n=1)",
        ["2:5 W107 `outputs` is put together, but neither returned nor set"],
    ),
    "outputs that are returned": ("outputs = {}\noutputs['rows'] = 5\nreturn outputs", []),
    "outputs that are set": ("outputs = {'n': 1}\nthis.save(output_value=outputs)", []),
    "a dict that is used": ("seen = {}\nseen['a'] = 1\nthis.log(seen)", []),
    "a dict beside outputs that are set": ("seen = {'a': 1}\nthis.set_output('n', 1)", []),
    # W108
    "a set among the outputs": (
        "return {'names': {'a', 'b'}}",
        ["2:22 W108 `{'a', 'b'}` is a set, which JSON cannot hold"],
    ),
    "a time in a variable": (
        "from datetime import datetime\nnow = datetime.now()\nthis.set_output('when', [now])",
        ["4:30 W108 `now` is a datetime, which JSON cannot hold"],
    ),
    "bytes for a child": (
        "this.flow('x', {'content': b'x'}, wait=True)",
        ["2:32 W108 `b'x'` is a bytes, which JSON cannot hold"],
    ),
    "keys of a dict as an input": (
        "this.flow('x', names=inputs.keys())",
        ["2:26 W108 `inputs.keys()` is a dict_keys, which JSON cannot hold"],
    ),
    "a generator among saved outputs": (
        "this.save(output_value={'rows': (row for row in inputs)})",
        ["2:37 W108 `(row for row in inputs)` is a generator, which JSON cannot hold"],
    ),
    "a number as a key": ("return {1: 'x'}", ["2:13 W108 the key 1: keys in JSON are text"]),
    "a returned variable": (
        "import decimal\noutputs = {'sum': decimal.Decimal(1)}\nreturn outputs",
        ["3:23 W108 `decimal.Decimal(1)` is a Decimal, which JSON cannot hold"],
    ),
    "a time as text": (
        "import datetime\nreturn {'when': datetime.datetime.now().isoformat()}",
        [],
    ),
    "a set in a function within": ("def names():\n    return {'n': {1}}\nreturn {}", []),
    # W109
    "an except without a class": (
        "try:\n    this.flow('x')\nexcept:\n    pass",
        ["4:5 W109 `except:` swallows the end of the run: success, error and cancellation"],
    ),
    "an except of all there is": (
        "try:\n    this.flow('x')\nexcept (ValueError, BaseException):\n    pass",
        [
            "4:5 W109 `except (ValueError, BaseException):` swallows the end of the run: success, "
            "error and cancellation"
        ],
    ),
    "an except of a signal": (
        "import flow_api\ntry:\n    this.success('x')\nexcept flow_api.ExecutionSuccess:\n    pass",
        [
            "5:5 W109 `except flow_api.ExecutionSuccess:` swallows the end of the run: success, "
            "error and cancellation"
        ],
    ),
    "signals that are suppressed": (
        "import contextlib\nwith contextlib.suppress(BaseException):\n    this.flow('x')",
        [
            "3:30 W109 `suppress(BaseException)` swallows the end of the run: success, error and "
            "cancellation"
        ],
    ),
    "a return in a finally": (
        "try:\n    this.flow('x')\nfinally:\n    return {}",
        ["5:9 W109 `return` in a `finally` swallows the end of the run, and every error"],
    ),
    "an except that raises again": (
        "try:\n    this.flow('x')\nexcept:\n    this.log('no')\n    raise",
        [],
    ),
    "signals that an except before has raised again": (
        "try:\n    this.flow('x')\nexcept BaseException:\n    raise\nexcept:\n    pass",
        [],
    ),
    "an except of exceptions": ("try:\n    this.flow('x')\nexcept Exception:\n    pass", []),
    # W110
    "code after the end": (
        "this.success('done')\nthis.log('x')",
        ["3:5 W110 this does not run: `this.success(…)` before it ends the run"],
    ),
    "an end in a branch": ("if inputs:\n    this.error('x')\nthis.log('x')", []),
    # W111, W112
    "an exit": (
        "import sys\nsys.exit(1)",
        ["3:5 W111 `sys.exit()` fails the run with the reason ScriptExited"],
    ),
    "a question": ("name = input('name? ')", ["2:12 W112 `input()`: nobody sits at a run"]),
    "an input of another kind": ("def input(x):\n    return x\ninput(1)", []),
    # W113
    "a long sleep": (
        "import time\ntime.sleep(3600)",
        ["3:5 W113 `time.sleep(3600)` keeps a Pod, and starts anew when the Pod is lost"],
    ),
    "a sleep of some minutes": (
        "from time import sleep\nsleep(60 * inputs['minutes'])",
        [
            "3:5 W113 `sleep(60 * inputs['minutes'])` keeps a Pod, and starts anew when the Pod is "
            "lost"
        ],
    ),
    "a sleep of a variable": (
        "import time\npause = 5 * 60\ntime.sleep(pause)",
        ["4:5 W113 `time.sleep(pause)` keeps a Pod, and starts anew when the Pod is lost"],
    ),
    "a short sleep": ("import time\ntime.sleep(1)", []),
    "a sleep of who knows": ("import time\ntime.sleep(inputs['pause'])", []),
    # W114
    "outputs of a child that runs": (
        "child = this.flow('x', wait=False)\nreturn child.get('output_value')",
        ["3:12 W114 `child` was started without waiting, and may not have ended"],
    ),
    "outputs of a child that was waited for": (
        "child = this.flow('x', wait=False)\nchild.wait()\nreturn child.get('output_value')",
        [],
    ),
    "outputs of one of several": (
        "child = this.flow('x', wait=False)\nthis.wait_for(child)\n"
        "this.log(child.get('output_value'))",
        [],
    ),
    # W116
    "a type that is not there": (
        "this.connect(connector_type='GITT', command='get')",
        ["2:33 W116 there is no connection type 'GITT'"],
    ),
    "an input that is spelt otherwise": (
        "this.connect(connector_type='GIT', repository_url='u', command='get', reff='main')",
        ["2:75 W116 a GIT connection has no input 'reff'"],
    ),
    "an input that is missing": (
        "this.task('GIT', command='get')",
        ["2:5 W116 a GIT connection needs `repository_url`"],
    ),
    "an input that a Connector may have": (
        "this.connect('github', connector_type='GIT', command='get')",
        [],
    ),
    "inputs from elsewhere": ("this.connect(connector_type='GIT', inputs=inputs)", []),
    "a type that is computed": ("this.connect(connector_type=inputs['type'])", []),
    "a question as a connection": ("this.task('INPUT', request='Go on?')", []),
    # N201, N202
    "a deadline": (
        "import time\nend = time.time() + 60\nwhile time.time() < end:\n    this.flow('x')",
        [
            "3:11 N201 `time.time()` is another time when the run is resumed",
            "4:11 N201 `time.time()` is another time when the run is resumed",
        ],
    ),
    "a time in the log": (
        "import time\nbegan = time.time()\nthis.flow('x')\nthis.log(took=time.time() - began)",
        [],
    ),
    "a time in the outputs": (
        "import time\nthis.flow('x')\nreturn {'ended': time.time()}",
        [],
    ),
    "a time that was recorded": (
        "import time\nif this.once(time.time) > 5:\n    this.flow('x')",
        [],
    ),
    "a time in a function that is recorded": (
        "import time\ndef hour():\n    if time.time() > 5:\n        return 1\n"
        "if this.once(hour):\n    this.flow('x')",
        [],
    ),
    "a time where nothing is asked of Weir": (
        "import time\nif time.time() > 5:\n    return {}",
        [],
    ),
    "a random name": (
        "import uuid\nname = uuid.uuid4().hex\nif name > 'a':\n    this.flow('x')",
        ["3:12 N202 `uuid.uuid4()` is another value when the run is resumed"],
    ),
    "a generator without a seed": (
        "import random\nrandom.seed()\nif random.Random().random() > 0.5:\n    this.flow('x')",
        [
            "3:5 N202 `random.seed()` is another value when the run is resumed",
            "4:8 N202 `random.Random()` is another value when the run is resumed",
        ],
    ),
    "a number of a seeded generator": (
        "import random\nif random.random() > 0.5:\n    this.flow('x')",
        [],
    ),
    # N203, N204
    "a request": (
        "import requests\nthis.flow('x')\nrequests.post('https://example.com')",
        ["4:5 N203 `requests.post('https://example.com')` is done again when the run is resumed"],
    ),
    "a recorded request": (
        "import requests\nthis.flow('x')\nthis.once(lambda: requests.get('https://example.com').json())",
        [],
    ),
    "a file": (
        "this.flow('x')\nwith open('data.csv') as file:\n    pass",
        ["3:10 N203 `open('data.csv')` is done again when the run is resumed"],
    ),
    "a file of its own": ("this.flow('x')\nwith open('/tmp/data.csv', 'w') as file:\n    pass", []),
    "threads": (
        "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor() as pool:\n"
        "    pool.submit(this.flow, 'x')\nthis.flow('y')",
        [
            "3:10 N204 `concurrent.futures.ThreadPoolExecutor`: a run that calls `this` from a "
            "second thread is not resumable"
        ],
    ),
    # no finding
    "a call that is printed": ("print('x')", []),
}


@pytest.mark.parametrize(("lines", "expected"), FOUND.values(), ids=FOUND.keys())
def test_what_is_said_of(lines: str, expected: list[str]) -> None:
    assert said(body(lines)) == expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param(
            "def handler(system, this):\n    return )",
            "2:12 E101 unmatched ')'",
            id="a syntax error",
        ),
        pytest.param("x = 1", "1:1 E102 the script defines no function `handler`", id="no handler"),
        pytest.param(
            "\n\ndef handler(c): pass",
            "3:1 E102 `handler(c)` has the wrong parameters",
            id="a handler of another form",
        ),
    ],
)
def test_a_script_that_cannot_be_run(script: str, expected: str) -> None:
    (only,) = said(script)
    assert only.startswith(expected)


def test_every_finding_says_what_to_do() -> None:
    scripts = [body(lines) for lines, _ in FOUND.values()]
    scripts += ["x = 1", "def handler(system, this):\n    await this.flow('x')", "return 1"]
    findings = [one for script in scripts for one in check(script)]
    assert [one for one in findings if not one.help] == []
    assert {one.code for one in findings} == RULES.keys() - {"W115"}


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        pytest.param("this.flow()  # noqa", [], id="a comment excuses a line"),
        pytest.param("this.flow()  # noqa: W101", [], id="and one code"),
        pytest.param("this.flow()  # NOQA:w101,N201", [], id="or several"),
        pytest.param("this.flow()  # noqa: W102", ["W101"], id="but not another one"),
        pytest.param("this.flow(\n    a=1,\n)  # noqa: W101", [], id="at the end of a long call"),
        pytest.param("this.flow()\n# noqa", ["W101"], id="not in another line"),
        pytest.param("this.flow(a='# noqa')", ["W101"], id="nor in a text"),
        pytest.param(
            "import time\ntime.sleep(60)  # it is a test  # noqa: W113", [], id="behind another"
        ),
    ],
)
def test_a_line_may_be_excused(lines: str, left: list[str]) -> None:
    assert [one.code for one in check(body(lines))] == left


def test_an_error_is_not_excused() -> None:
    assert [one.code for one in check("x = 1  # noqa")] == ["E102"]


def test_a_run_that_is_not_resumed_needs_no_notices() -> None:
    lines, expected = FOUND["a request"]
    assert expected
    assert said(body(lines), resumes=False) == []


@pytest.mark.parametrize(
    ("lines", "missing"),
    [
        pytest.param("import pandas", ["W115"], id="a package"),
        pytest.param("from pandas.io import json", ["W115"], id="a part of a package"),
        pytest.param("import json, os.path", [], id="Python's own modules"),
        pytest.param("try:\n    import pandas\nexcept ImportError:\n    pass", [], id="a try"),
        *(pytest.param(f"import {name}", [], id=name) for name in sorted(INSTALLED)),
    ],
)
def test_modules_are_there_or_not(lines: str, missing: list[str]) -> None:
    assert [one.code for one in check(body(lines), brings_modules=False)] == missing
    assert check(body(lines)) == []


@pytest.mark.parametrize(
    ("lines", "strict", "fails_"),
    [
        pytest.param("this.flow()", False, False, id="warnings do not fail"),
        pytest.param("this.flow()", True, True, id="unless they are to"),
        pytest.param(FOUND["a request"][0], True, False, id="notices never do"),
    ],
)
def test_findings_fail(lines: str, strict: bool, fails_: bool) -> None:
    assert fails(check(body(lines)), strict=strict) is fails_


def test_errors_fail_always() -> None:
    assert fails(check("x = 1"), strict=False)


def test_the_page_names_every_code() -> None:
    text = (ROOT / "docs" / "linting.md").read_text()
    rows = re.findall(r"^\| `([EWN]\d+)` \| `([a-z-]+)` \| (.*?) \|", text, re.MULTILINE)
    assert rows == [(code, rule.name, rule.about) for code, rule in RULES.items()]


def test_a_code_says_how_bad_it_is() -> None:
    for one in check(body("this.flow()")):
        assert one.severity is Severity.WARNING


def test_the_scripts_of_the_documentation_are_clean() -> None:
    for page in sorted((ROOT / "docs").glob("*.md")):
        for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
            # Tests of flows have scripts in texts.
            if "def handler(" in block and "def test_" not in block:
                bad = [one for one in check(block) if one.severity is not Severity.NOTICE]
                assert bad == [], page.name
