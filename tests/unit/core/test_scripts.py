import pytest

from weir.api.flow import MAX_SCRIPT
from weir.api.reasons import Reason
from weir_protocol.scripts import problem_with


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("def handler(system, this): pass", id="two parameters are the usual form"),
        pytest.param("def handler(system, this, inputs): pass", id="inputs may be taken"),
        pytest.param("def handler(system, this, inputs=None): pass", id="inputs may be optional"),
        pytest.param("def handler(system, this, *more): pass", id="more may be taken"),
        pytest.param("def handler(*everything): pass", id="everything may be taken as one"),
        pytest.param("def handler(system, this, *, x=1): pass", id="keywords may have defaults"),
        pytest.param("def handler(a, b, c, d=4): pass", id="a fourth one needs a default"),
        pytest.param("handler = lambda system, this: 1", id="a handler may be assigned"),
        pytest.param("handler: object = print", id="a handler may be assigned with a type"),
        pytest.param("from mine import handler", id="a handler may be imported"),
        pytest.param("import mine as handler", id="a handler may be imported under its name"),
        pytest.param(
            "try:\n  import x\nexcept ImportError:\n  def handler(a, b): pass",
            id="a handler may be defined in an except clause",
        ),
        pytest.param(
            "if True:\n  def handler(system, this): pass", id="a handler may be defined in an if"
        ),
        pytest.param(
            "def handler(): pass\ndef handler(system, this): pass", id="the last definition counts"
        ),
        pytest.param(
            "x = '\\d'\ndef handler(system, this): pass", id="an invalid escape is no error"
        ),
    ],
)
def test_a_script_with_a_handler_may_be_run(script: str) -> None:
    assert problem_with(script) is None


@pytest.mark.parametrize(
    ("script", "reason", "message"),
    [
        pytest.param(
            "def handler(system, this):\n    return )",
            Reason.SYNTAX_ERROR,
            "line 2, column 12: unmatched ')'",
            id="a syntax error is named with line and column",
        ),
        pytest.param(
            "x = 1\n\0", Reason.SYNTAX_ERROR, "line 2: the script contains a null", id="null bytes"
        ),
        pytest.param(
            "#" * (MAX_SCRIPT + 1),
            Reason.SYNTAX_ERROR,
            "larger than 200 KiB",
            id="a script has a largest size",
        ),
        pytest.param(
            "x = '\ud800'", Reason.SYNTAX_ERROR, "cannot be parsed", id="half a character"
        ),
        pytest.param(
            "x = " + "(" * 5000 + ")" * 5000,
            Reason.SYNTAX_ERROR,
            "",
            id="what is nested too deeply is refused, and does no harm",
        ),
        pytest.param(
            "def handler(system, this): pass\nreturn 1",
            Reason.SYNTAX_ERROR,
            "line 2, column 1: 'return' outside function",
            id="what only a compiler finds is found",
        ),
        pytest.param(
            "def handler(system, this):\n    await this.flow('x')",
            Reason.SYNTAX_ERROR,
            "line 2, column 5: 'await' outside async function; hint: leave `await` out: calls of "
            "flow_api wait by themselves",
            id="an await is not for a plain function",
        ),
        pytest.param(
            "\ndef handle(system, this): pass",
            Reason.NO_HANDLER,
            "line 2: the script defines no function `handler`: write handler(system, this) or "
            "handler(system, this, inputs); did you mean `handle`?",
            id="a handler that is called otherwise is seen",
        ),
        pytest.param(
            "def handler(system, this):\n    def rows():\n        yield 1\n    yield 2",
            Reason.NO_HANDLER,
            "line 4: `handler` is a generator",
            id="a handler is no generator",
        ),
        pytest.param("x = 1", Reason.NO_HANDLER, "no function `handler`", id="no handler"),
        pytest.param("", Reason.NO_HANDLER, "no function `handler`", id="nothing at all"),
        pytest.param(
            "class A:\n  def handler(self, system, this): pass",
            Reason.NO_HANDLER,
            "no function `handler`",
            id="a method is no handler",
        ),
        pytest.param(
            "def outer():\n  def handler(system, this): pass",
            Reason.NO_HANDLER,
            "no function `handler`",
            id="an inner function is no handler",
        ),
        pytest.param(
            "\nasync def handler(system, this): pass",
            Reason.NO_HANDLER,
            "line 2: `handler` is an async function",
            id="a handler is not async",
        ),
        pytest.param(
            "class handler: pass", Reason.NO_HANDLER, "is a class", id="a class is no handler"
        ),
        pytest.param(
            "def handler(system): pass",
            Reason.NO_HANDLER,
            "line 1: `handler(system)` has the wrong parameters",
            id="one parameter is too few",
        ),
        pytest.param(
            "def handler(a, b, c, d): pass", Reason.NO_HANDLER, "wrong parameters", id="too many"
        ),
        pytest.param(
            "def handler(a, b, *, c): pass",
            Reason.NO_HANDLER,
            "wrong parameters",
            id="a keyword that must be given",
        ),
    ],
)
def test_a_script_that_cannot_be_run_says_why(script: str, reason: Reason, message: str) -> None:
    problem = problem_with(script)

    assert problem is not None
    assert problem.reason == reason
    assert message in problem.message
