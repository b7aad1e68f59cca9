"""Common mistakes, and what the log says after their traceback."""

import pytest

from tests.unit.runner.fakes import FakeServer, end_of, run
from weir_runner import conversions, hints, spelling

NAME_THE_FLOW = "name the flow first: `this.flow('greet', person='Ada')`"
OUTPUTS = "a run's outputs are `child.get('output_value')['key']`"

HINTS: dict[str, tuple[str, str]] = {
    "a flow without its name": ("this.flow()", NAME_THE_FLOW),
    "a flow with inputs and without its name": ("this.flow(person='Ada')", NAME_THE_FLOW),
    "a flow with its name as a keyword": ("this.flow(flow='greet')", NAME_THE_FLOW),
    "a call with too few arguments": (
        "this.end()",
        "it is called as `this.end(status, message=None)`",
    ),
    "a call with a misspelt keyword": (
        "this.wait_for(this.flow('greet', wait=False), timout=3)",
        "did you mean `timeout=`?",
    ),
    "a call with too many arguments": (
        "this.success('a', 'b')",
        "it is called as `this.success(message=None)`",
    ),
    "a key that a child's outputs have not": (
        "this.flow('greet', name='step').get('output_value')['x']",
        "such an output is not there: did the child's handler return it in a dict?",
    ),
    "a key that the outputs of a named child have not": (
        "child = this.flow('greet', name='step', person='Ada')\n"
        "child.get('output_value')['greetings']",
        "did you mean 'greeting'? the outputs of 'step' are 'greeting'",
    ),
    "a key of outputs in a variable": (
        "child = this.flow('greet', name='step', person='Ada')\n"
        "outputs = child.get('output_value')\noutputs['x']",
        "the outputs of 'step' are 'greeting'",
    ),
    "a child that returned nothing": (
        "child = this.flow('forgetful', name='step')\nchild.get('output_value')['x']",
        "'step' has no outputs: its handler is to return a dict or call `this.set_output(…)`",
    ),
    "a child that was not waited for": (
        "child = this.flow('greet', name='step', wait=False)\nchild.get('output_value')['x']",
        "'step' has not ended: wait for it before you read its outputs",
    ),
    "an input that was not given": (
        "inputs['person']",
        "the run was given no inputs: `weir run FLOW --input person=…`",
    ),
    "an input of this": (
        "this.get('input_value')['person']",
        "the run was given no inputs: `weir run FLOW --input person=…`",
    ),
    "a misspelt key of any dict": (
        "row = {'name': 1}\nrow['nmae']",
        "did you mean 'name'?",
    ),
    "a key that looks like none": ("row = {'name': 1}\nrow['x']", ""),
    "a number as a key": ("row = {'name': 1}\nrow[5]", ""),
    "a key that a library looks for": ("import string\nstring.Template('$x').substitute({})", ""),
    "an environment variable": (
        "import os\nos.environ['MY_TOKEN_']",
        "environment variables come by the Flow's `runner: {env: [{name: MY_TOKEN_, …}]}`",
    ),
    "an attribute for the outputs": (
        "child = this.flow('greet')\nchild.output",
        "a child's outputs are `child.get('output_value')`",
    ),
    "an attribute for a field": (
        "this.flow('greet').status",
        "did you mean `child.get('status')`?",
    ),
    "a misspelt call": ("this.sucess('x')", "did you mean `this.success(…)`?"),
    "a call that is named otherwise elsewhere": (
        "this.info('x')",
        "did you mean `this.log(…)`?",
    ),
    "a call of system that is one of this": ("system.log('x')", "did you mean `this.log(…)`?"),
    "a record that is run": (
        "system.flow('greet').run()",
        "`system` has records only: a flow is run by `this.flow('its name')`",
    ),
    "a record's call that is spelt otherwise": (
        "system.setting('s').aquire()",
        "did you mean `.acquire`?",
    ),
    "a record that is asked of this": ("this.setting('s')", "did you mean `system.setting(…)`?"),
    "outputs as an attribute": (
        "this.output_value = {}",
        "outputs are set by `this.set_output('key', value)`",
    ),
    "a field as an attribute": ("this.message = 'm'", "fields are set by `this.save(message=…)`"),
    "an attribute that is nothing like any": ("this.zzzzzz", ""),
    "an attribute of a dict": (
        "inputs = {'person': 1}\ninputs.person",
        "a dict's entries are read by `['person']`",
    ),
    "an attribute of a module": (
        "import json\njson.laods('1')",
        "did you mean `json.loads`?",
    ),
    "an exception of flow_api that is spelt otherwise": (
        "import flow_api\nflow_api.DependencyFailed",
        "did you mean `flow_api.DependencyFailedError`?",
    ),
    "an import that flow_api has not": (
        "from flow_api import DependencyFaildError",
        "did you mean `DependencyFailedError`?",
    ),
    "a field that is called otherwise": ("this.get('output')", "did you mean 'output_value'?"),
    "a misspelt field": ("this.load('mesage')", "did you mean 'message'?"),
    "a field that cannot be set": ("this.save(outputs={})", "did you mean 'output_value'?"),
    "a status that cannot be set": (
        "this.save(status='ENDED_SUCCESS')",
        "a run ends by `this.success(…)` or `this.error(…)`",
    ),
    "a child with brackets": ("this.flow('greet')['greeting']", OUTPUTS),
    "a child with brackets that are assigned to": ("this.flow('greet')['x'] = 1", OUTPUTS),
    "a child in a loop": ("for row in this.flow('greet'): pass", OUTPUTS),
    "a key looked for in a child": (
        "'x' in this.flow('greet')",
        "a run's outputs are `child.get('output_value')`",
    ),
    "an await within an async function": (
        "import asyncio\n"
        "async def main():\n    await this.flow('greet')\n"
        "coroutine = main()\ncoroutine.send(None)",
        "leave `await` out: calls of flow_api wait by themselves",
    ),
    "a module that is not imported": (
        "json.dumps(1)",
        "write `import json` at the top of the script",
    ),
    "flow_api without an import": (
        "flow_api.Execution",
        "write `import flow_api` at the top of the script",
    ),
    "a misspelt name": ("total = 1\nprint(totl)", "did you mean `total`?"),
    "a package that is not there": (
        "import sklearn.svm",
        "packages come by the Flow's `requirements: [scikit-learn]`",
    ),
    "a module of the standard library, misspelt": (
        "import collection",
        "packages come by the Flow's `requirements: [collection]`; or did you mean `collections`?",
    ),
    "a time among the outputs": (
        "import datetime\nthis.set_output('when', datetime.datetime(2026, 1, 1))",
        "convert a datetime by .isoformat()",
    ),
    "an enumeration among the outputs": (
        "import enum\nclass C(enum.Enum):\n    A = 1\nthis.set_output('c', C.A)",
        "convert a C by .value",
    ),
    "a dataclass among the inputs of a child": (
        "import dataclasses\n@dataclasses.dataclass\nclass P:\n    n: int\n"
        "this.flow('greet', person=P(1))",
        "convert a P by dataclasses.asdict(…)",
    ),
    "a number as an output's key": (
        "this.set_output('x', {1: 2})",
        "make the keys text: `{str(key): value for key, value in ….items()}`",
    ),
    "a child among the outputs": (
        "this.set_output('child', this.flow('greet'))",
        "convert an Execution by .get('output_value'), or .get('id')",
    ),
    "a value for json.dumps": (
        "import json, decimal\njson.dumps(decimal.Decimal(1))",
        "convert a Decimal by str(…), or float(…) if it need not be exact",
    ),
    "a file outside of /tmp": (
        "import errno\nraise OSError(errno.EROFS, 'Read-only file system', '/data')",
        "only /tmp can be written to, and it goes with the Pod",
    ),
    "an exception of no special kind": ("raise ValueError('boom')", ""),
    "an exception that fails when it is looked at": (
        "class E(AttributeError):\n    name = property(lambda self: 1 / 0)\nraise E('x')",
        "",
    ),
}


def hint_in(server: FakeServer) -> str:
    (text,) = server.texts("traceback")
    last = text.splitlines()[-1]
    return last.removeprefix("hint: ") if last.startswith("hint: ") else ""


def log_of(body: str) -> FakeServer:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return run(f"def handler(system, this, inputs):\n{lines}\n")


@pytest.mark.parametrize(("body", "expected"), HINTS.values(), ids=HINTS.keys())
def test_a_hint_for(body: str, expected: str) -> None:
    assert hint_in(log_of(body)) == expected


def test_the_hint_stands_in_the_message_too() -> None:
    message = end_of("this.get('output')").message
    assert message is not None
    assert message.endswith("(line 2); hint: did you mean 'output_value'?")


@pytest.mark.parametrize(
    "found", [pytest.param("x" * 200, id="a long one"), pytest.param("", id="none")]
)
def test_a_hint_that_is_not_in_the_message(found: str) -> None:
    assert hints.in_message("ValueError: boom", found) == "ValueError: boom"


def test_a_message_does_not_grow_too_long_by_a_hint() -> None:
    message = end_of("inputs = {'a': 'b'}\nraise KeyError('x' * 2000)").message
    assert message is not None
    assert "hint" not in message


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param(
            "def handler(system, this):\n    await this.flow('greet')",
            "leave `await` out: calls of flow_api wait by themselves",
            id="an await",
        ),
        pytest.param(
            "def handler(system, this):\n    pass\nreturn {}",
            "indent it, so that it belongs to `handler`",
            id="a return outside of handler",
        ),
        pytest.param("def handler(system, this):\n    x = (", "", id="brackets"),
        pytest.param(
            "def helper():\n    this.log('x')\ndef handler(system, this):\n    helper()",
            "`this` is known in `handler` only: hand it on as an argument",
            id="this in another function",
        ),
        pytest.param(
            "def handler(system, this):\n    inputs['x']",
            "take them as a third parameter: `def handler(system, this, inputs)`",
            id="inputs that are no parameter",
        ),
    ],
)
def test_a_hint_for_a_script_with(script: str, expected: str) -> None:
    assert hint_in(run(script)) == expected


def test_nobody_answers_input(monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert hint_in(log_of("input('name? ')")).startswith("nobody sits at a run: ")


def test_returned_outputs_have_their_hint_in_the_message() -> None:
    message = end_of("return {'seen': {1, 2}}").message
    assert message is not None
    assert message.endswith("; hint: convert a set by sorted(…)")


def test_inputs_that_were_given_are_named() -> None:
    message = end_of("inputs['persn']", inputs={"person": "Ada", "count": 1}).message
    assert message is not None
    assert message.endswith(
        "hint: did you mean 'person'? the run was given the inputs 'person', 'count'"
    )


def test_of_many_keys_some_are_shown() -> None:
    inputs = {f"k{number}": number for number in range(20)} | {"x" * 100: 1}
    message = end_of("inputs['zzz']", inputs=inputs).message
    assert message is not None
    assert message.endswith("'k8', 'k9' and 11 more")


@pytest.mark.parametrize(
    ("value", "way"),
    [
        pytest.param({1}, "sorted(…)", id="a set"),
        pytest.param(b"x", ".decode()", id="bytes"),
        pytest.param({}.keys(), "list(…)", id="keys"),
        pytest.param((n for n in "ab"), "list(…)", id="a generator"),
        pytest.param(ValueError(), "str(…)", id="an exception"),
        pytest.param(print, "calling it", id="a function"),
        pytest.param(iter([]), "list(…)", id="an iterator"),
    ],
)
def test_a_value_is_converted(value: object, way: str) -> None:
    assert way in str(conversions.way_of(value))


def test_a_value_without_a_way() -> None:
    assert conversions.way_of(object()) is None


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        pytest.param("Flow", "flow(…)", id="case does not matter"),
        pytest.param("execute", "flow(…)", id="words of other tools"),
        pytest.param("result", "get('output_value')", id="words for a field"),
        pytest.param("statuss", "get('status')", id="a misspelt field"),
        pytest.param("ask", None, id="a word for a call that is not there"),
    ],
)
def test_an_attribute_is_guessed(name: str, meant: str | None) -> None:
    assert spelling.attribute(name, {"flow", "log"}, {"status", "output_value"}) == meant
