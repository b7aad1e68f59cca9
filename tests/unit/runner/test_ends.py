"""Every way in which a script ends, and what is reported of it."""

import time
from typing import Any

import pytest

from tests.unit.flow_api.fake_backend import LEAF, view
from tests.unit.runner.fakes import (
    FakeDeparture,
    FakeServer,
    Left,
    assignment,
    end_of,
    new_interrupts,
    refusing,
    run,
)
from weir_runner.session import Run
from weir_runner.transport import Refused, ServerLost

ENDS: dict[str, tuple[str, dict[str, Any]]] = {
    "a success with a message": (
        "this.success('all done')",
        {"status": "success", "message": "all done"},
    ),
    "a success in silence": ("this.success()", {"status": "success", "message": None}),
    "a plain return": ("pass", {"status": "success", "outputs": None, "message": None}),
    "a returned object is the outputs": (
        "return {'n': 1}",
        {"status": "success", "outputs": {"n": 1}},
    ),
    "outputs that were set hold against returned ones": (
        "this.set_output('a', 1); return {'b': 2}",
        {"outputs": {"a": 1}},
    ),
    "what else is returned is nobody's": ("return [1]", {"status": "success", "outputs": None}),
    "the message that was set": ("this.set(message='m')", {"message": "m"}),
    "the last message holds": ("this.set(message='m'); this.success('n')", {"message": "n"}),
    "outputs are kept with an error": (
        "this.set_output('a', 1); this.error('no')",
        {"status": "error", "reason": "ScriptEnded", "message": "no", "outputs": {"a": 1}},
    ),
    "an end by word": ("this.end('error', 'no')", {"status": "error", "reason": "ScriptEnded"}),
    "a signal that the script raises with a number": (
        "import flow_api; raise flow_api.ExecutionSuccess(7)",
        {"status": "success", "message": "7"},
    ),
    "a signal passes except Exception": (
        "try:\n    this.success('s')\nexcept Exception:\n    this.error('e')",
        {"status": "success", "message": "s"},
    ),
    "its own cancellation": (
        "this.cancel()",
        {"status": "cancelled", "reason": "Cancelled", "message": "cancelled by its own script"},
    ),
    "an exception": (
        "\nx = 1\nraise ValueError('boom')",
        {"status": "error", "reason": "ScriptError", "message": "ValueError: boom (line 3)"},
    ),
    "an exception without a text": ("raise KeyError", {"message": "KeyError (line 2)"}),
    "an exception of many lines": (
        "raise ValueError('a\\n  b')",
        {"message": "ValueError: a b (line 2)"},
    ),
    "an exception whose text fails": (
        "class E(Exception):\n    def __str__(self): this.success()\nraise E",
        {"message": "E: <no text: its __str__ raised ExecutionSuccess> (line 4)"},
    ),
    "an exception whose notes fail": (
        "class E(Exception):\n    __notes__ = property(lambda self: 1 / 0)\nraise E('x')",
        {"reason": "ScriptError", "message": "E: x (line 4)"},
    ),
    "an exception whose class has no name": (
        "class M(type):\n    __name__ = property(lambda self: 1 / 0)\n"
        "class E(Exception, metaclass=M): pass\nraise E('x')",
        {
            "reason": "ScriptError",
            "message": "the script raised an exception that fails when it is asked what it says",
        },
    ),
    "a syntax error that the script made up of numbers": (
        "raise SyntaxError(5, ('script.py', 1, 2, 3))",
        {"reason": "ScriptError", "message": "SyntaxError: 5 (line 1, column 2)"},
    ),
    "an exception in a library names the script's line": (
        "import json\njson.loads('{')",
        {
            "message": "JSONDecodeError: Expecting property name enclosed in double quotes: "
            "line 1 column 2 (char 1) (line 3)"
        },
    ),
    "an exception with what is no Unicode": (
        "raise ValueError('\\udc80')",
        {"message": "ValueError: ? (line 2)"},
    ),
    "a recursion without end": (
        "def f(): f()\nf()",
        {
            "reason": "ScriptError",
            "message": "RecursionError: maximum recursion depth exceeded (line 2)",
        },
    ),
    "no memory": (
        "raise MemoryError",
        {"reason": "ScriptError", "message": "MemoryError (line 2)"},
    ),
    "an interrupt of the keyboard": (
        "raise KeyboardInterrupt",
        {"reason": "ScriptError", "message": "KeyboardInterrupt (line 2)"},
    ),
    "a thousand exceptions behind one": (
        """
        error = None
        for i in range(3000):
            new = ValueError(i)
            new.__context__ = error
            error = new
        raise error
        """,
        {"reason": "ScriptError", "message": "ValueError: 2999 (line 7)"},
    ),
    "sys.exit": (
        "import sys; sys.exit()",
        {
            "status": "error",
            "reason": "ScriptExited",
            "message": "the script left by sys.exit with code 0 (line 2); a run ends by returning "
            "or by `this`",
        },
    ),
    "sys.exit with a text": (
        "import sys; sys.exit('bye')",
        {
            "message": "the script left by sys.exit with code 1 and the text: bye (line 2); a run "
            "ends by returning or by `this`"
        },
    ),
    "a failed child that nobody caught": (
        "this.flow('may fail')",
        {
            "status": "error",
            "reason": "DependencyFailed",
            "message": "execution leaf-x1 (leaf) failed: ValueError: boom (line 3)",
            "cause": LEAF,
        },
    ),
    "a failed child that was caught": (
        "try:\n    this.flow('may fail')\nexcept Exception as error:\n    this.success(str(error))",
        {
            "status": "success",
            "message": "execution leaf-x1 (leaf) failed: ValueError: boom (line 3)",
            "cause": None,
        },
    ),
    "a failure that the script made up": (
        "import flow_api; raise flow_api.DependencyFailedError('mine')",
        {"reason": "ScriptError", "message": "DependencyFailedError: mine (line 2)"},
    ),
    "an output that is no JSON": (
        "this.set_output('rows', [1, {2}])",
        {
            "status": "error",
            "reason": "InvalidOutputs",
            "message": "NotJsonError: output_value['rows'][1] is a set, which JSON cannot hold; "
            "convert it first, such as to a text (line 2); hint: convert a set by sorted(…)",
        },
    ),
    "a returned object that is no JSON": (
        "return {'rows': [b'x']}",
        {
            "status": "error",
            "reason": "InvalidOutputs",
            "outputs": None,
            "message": "output_value['rows'][0] is a bytes, which JSON cannot hold; convert it "
            "first, such as to a text; hint: convert a bytes by .decode() if it is text, "
            "base64.b64encode(…).decode() if not",
        },
    ),
    "a returned object that fails when it is read": (
        "class D(dict):\n    def items(self): raise OSError('gone')\nreturn D(a=1)",
        {
            "status": "error",
            "reason": "InvalidOutputs",
            "outputs": None,
            "message": "output_value cannot be read: OSError: gone (line 3)",
        },
    ),
    "an object that contains itself": (
        "d = {}; d['d'] = d; return d",
        {"status": "error", "reason": "InvalidOutputs", "outputs": None},
    ),
    "a number that JSON cannot hold": (
        "return {'x': float('nan')}",
        {
            "reason": "InvalidOutputs",
            "message": "output_value['x'] is nan, which JSON cannot hold; use None or a text",
        },
    ),
    "an integer too long to write": (
        "return {'n': 10 ** 5000}",
        {
            "reason": "InvalidOutputs",
            "message": "output_value['n'] is an integer of more than 4,000 digits; store it as a "
            "text",
        },
    ),
    "a setrecursionlimit that is not put back": (
        "import sys; sys.setrecursionlimit(60); return {'n': [[[[1]]]]}",
        {"status": "success", "outputs": {"n": [[[[1]]]]}},
    ),
}


@pytest.mark.parametrize(("body", "expected"), ENDS.values(), ids=ENDS.keys())
def test_an_end_by(body: str, expected: dict[str, Any]) -> None:
    end = end_of(body)
    assert {name: getattr(end, name) for name in expected} == expected


def test_an_end_says_whose_it_is_and_when_it_began() -> None:
    before = time.time()
    end = end_of("pass", try_number=2, attempt=3)
    assert (end.uid, end.try_number, end.attempt) == ("own", 2, 3)
    assert before <= end.started <= time.time()


TOO_LARGE = "this.set_output('text', 'x' * 200)"


@pytest.mark.parametrize(
    ("body", "status", "reason", "kept"),
    [
        pytest.param(TOO_LARGE, "error", "OutputTooLarge", None, id="fail a success"),
        pytest.param(
            f"{TOO_LARGE}; this.error('mine')", "error", "ScriptEnded", None, id="not an error"
        ),
        pytest.param(
            "this.save(output_value={'text': 'x' * 200})",
            "error",
            "OutputTooLarge",
            None,
            id="fail when saved",
        ),
        pytest.param("return {'a': 1}", "success", "", {"a": 1}, id="unless they are small"),
    ],
)
def test_outputs_that_are_too_large(
    body: str, status: str, reason: str, kept: dict[str, int] | None
) -> None:
    end = end_of(body, output_limit=100)
    assert (end.status, end.reason, end.outputs) == (status, reason, kept)


def test_outputs_too_large_say_both_sizes() -> None:
    message = end_of(TOO_LARGE, output_limit=100).message
    assert message is not None
    assert message.startswith("output_value is 211 bytes of JSON and may be 100")


def test_a_long_message_of_an_exception_is_cut() -> None:
    message = end_of("raise ValueError('x' * 10**6)").message
    assert message is not None
    assert len(message) < 1100


def test_a_traceback_shows_the_scripts_lines_only() -> None:
    script = """\
        import json

        def parse(text):
            return json.loads(text)

        def handler(system, this):
            try:
                parse('{')
            except ValueError as error:
                raise RuntimeError('no good') from error
        """
    server = run(script, script_name="flow hello")
    (text,) = server.texts("traceback")
    assert 'File "flow hello", line 4, in parse\n    return json.loads(text)' in text
    assert 'File "flow hello", line 10, in handler' in text
    assert text.count("File ") == 3
    assert text.endswith("RuntimeError: no good")
    assert "weir_runner" not in text


def test_a_traceback_that_cannot_be_shown_says_why() -> None:
    server = run(
        """\
        class E(Exception):
            __notes__ = property(lambda self: 1 / 0)

        def handler(system, this):
            raise E('x')
        """
    )
    assert server.texts("traceback") == [
        "E: x (line 5)\n<no traceback: showing it raised ZeroDivisionError>"
    ]


def test_an_error_outside_of_the_handler_is_the_scripts() -> None:
    end = run("import nothing_of_that_name").end
    assert end.reason == "ScriptError"
    assert end.message == (
        "ModuleNotFoundError: No module named 'nothing_of_that_name' (line 1); hint: packages come "
        "by the Flow's `requirements: [nothing_of_that_name]`"
    )


def test_a_resumed_run_draws_the_same_numbers() -> None:
    draw = "import random; return {'n': random.random()}"
    first = end_of(draw, seed="a")
    assert end_of(draw, seed="a").outputs == first.outputs
    assert end_of(draw, seed="b").outputs != first.outputs


def test_a_resumed_run_does_not_see_what_an_earlier_attempt_saved() -> None:
    saved = view("own", message="half", output_value={"old": 1})
    end = end_of("return {'seen': this.get('output_value')}", execution=saved)
    assert (end.outputs, end.message) == ({"seen": {}}, None)


def test_a_refused_end_is_reported_as_such() -> None:
    server = FakeServer(refusing("end", Refused(413, "TooLarge", "at most 10 bytes")))
    end = run("def handler(system, this): return {'a': 1}", server=server).end
    assert (end.status, end.reason, end.outputs) == ("error", "OutputTooLarge", None)
    assert end.message == "the server refused the run's end: at most 10 bytes (413 TooLarge)"


def test_a_refused_error_stays_what_it_was() -> None:
    server = FakeServer(refusing("end", Refused(400, "InvalidRequest", "no")))
    end = run("def handler(system, this): this.error('mine')", server=server).end
    assert (end.reason, end.message) == ("ScriptEnded", "mine")


def test_an_end_that_is_refused_twice_is_said_in_the_pods_log() -> None:
    refused = Refused(400, "InvalidRequest", "no")
    departure = FakeDeparture()
    with pytest.raises(Left) as left:
        _do(FakeServer(refusing("end", refused, refused)), departure)
    assert left.value.code == 1
    assert departure.said[-1] == "the end of the run could not be reported: no (400 InvalidRequest)"


@pytest.mark.parametrize("code", ["Ended", "Fenced"])
def test_the_end_of_a_stale_attempt_is_not_insisted_on(code: str) -> None:
    server = FakeServer(refusing("end", Refused(409, code, "not yours")))
    run("def handler(system, this): pass", server=server)
    assert server.posted == ["end"]


def test_an_end_without_a_server_leaves_a_lost_pod() -> None:
    def lose(_path: str, _message: object) -> None:
        raise ServerLost("no server for 600 s")

    with pytest.raises(Left) as left:
        _do(FakeServer(lose), FakeDeparture())
    assert left.value.code == 75


def _do(server: FakeServer, departure: FakeDeparture) -> None:
    work = assignment("def handler(system, this): pass")
    Run(work, server, departure, new_interrupts()).do()
