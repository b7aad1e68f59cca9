"""Which scripts can be run, and how their handler is called."""

import pytest

from tests.unit.runner.fakes import run

HANDLERS: dict[str, tuple[str, str | None]] = {
    "two parameters": ("def handler(system, this):\n    this.success('2')", "2"),
    "three parameters": (
        "def handler(system, this, inputs):\n    this.success(inputs['n'])",
        "5",
    ),
    "a third parameter with a default": (
        "def handler(system, this, inputs=None):\n    this.success(inputs['n'])",
        "5",
    ),
    "any parameters": ("def handler(*given):\n    given[1].success(len(given))", "3"),
    "a callable object": (
        "class H:\n    def __call__(self, system, this):\n        this.success('c')\nhandler = H()",
        "c",
    ),
    "a part of a bigger module": (
        "import dataclasses, pickle\n@dataclasses.dataclass\nclass P:\n    n: int\n"
        "def handler(system, this):\n    this.success(pickle.loads(pickle.dumps(P(3))).n)",
        "3",
    ),
}


@pytest.mark.parametrize(("script", "message"), HANDLERS.values(), ids=HANDLERS.keys())
def test_a_handler_with(script: str, message: str) -> None:
    end = run(script, inputs={"n": 5}).end
    assert (end.status, end.message) == ("success", message)


NOT_RUNNABLE = {
    "a syntax error": (
        "def handler(system, this):\n    return (1\n",
        "SyntaxError",
        "SyntaxError: '(' was never closed (line 2, column 12)",
    ),
    "an indentation error": (
        "def handler(system, this):\npass",
        "SyntaxError",
        "IndentationError: expected an indented block after function definition on line 1 "
        "(line 2, column 1)",
    ),
    "a null byte": ("\0", "SyntaxError", "null bytes"),
    "brackets without end": ("(" * 1000, "SyntaxError", "too many nested parentheses"),
    "no handler": ("x = 1", "NoHandler", "the script defines no handler; it must define handler("),
    "nothing at all": ("", "NoHandler", "the script defines no handler"),
    "a handler that is no function": ("handler = 5", "NoHandler", "handler is int, no function"),
    "an async handler": (
        "async def handler(system, this): pass",
        "NoHandler",
        "handler is an async function",
    ),
    "a generator": ("def handler(system, this): yield", "NoHandler", "handler is a generator"),
    "one parameter": (
        "def handler(c): pass",
        "NoHandler",
        "handler takes other parameters: (c); define handler(system, this)",
    ),
    "four parameters": ("def handler(a, b, c, d): pass", "NoHandler", "(a, b, c, d)"),
}


@pytest.mark.parametrize(
    ("script", "reason", "message"), NOT_RUNNABLE.values(), ids=NOT_RUNNABLE.keys()
)
def test_a_script_is_not_run_for(script: str, reason: str, message: str) -> None:
    end = run(script).end
    assert (end.status, end.reason) == ("error", reason)
    assert end.message is not None
    assert message in end.message
