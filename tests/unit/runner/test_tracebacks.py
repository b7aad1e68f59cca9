"""What the log shows of an error: the author's lines, with the place in them marked."""

import re
from textwrap import dedent

import pytest

from tests.unit.runner.fakes import run

SHOWN: dict[str, tuple[str, str]] = {
    "functions within functions": (
        """\
        def handler(system, this):
            def share(parts):
                return 1 / parts

            return share(0)""",
        """\
        Traceback (most recent call last):
          File "flow hello", line 5, in handler
            return share(0)
                   ^^^^^^^^
          File "flow hello", line 3, in share
            return 1 / parts
                   ~~^~~~~~~
        ZeroDivisionError: division by zero""",
    ),
    "an error behind the error": (
        """\
        import json

        def handler(system, this):
            try:
                json.loads('{')
            except ValueError as error:
                raise RuntimeError('no good') from error
        """,
        """\
        Traceback (most recent call last):
          File "flow hello", line 5, in handler
            json.loads('{')
        json.decoder.JSONDecodeError: Expecting property name enclosed in double quotes: line 1 \
column 2 (char 1)

        The above exception was the direct cause of the following exception:

        Traceback (most recent call last):
          File "flow hello", line 7, in handler
            raise RuntimeError('no good') from error
        RuntimeError: no good""",
    ),
    "an error while another is handled": (
        """\
        def handler(system, this):
            try:
                {}['x']
            except KeyError:
                int('y')
        """,
        """\
        Traceback (most recent call last):
          File "flow hello", line 3, in handler
            {}['x']
            ~~^^^^^
        KeyError: 'x'

        During handling of the above exception, another exception occurred:

        Traceback (most recent call last):
          File "flow hello", line 5, in handler
            int('y')
        ValueError: invalid literal for int() with base 10: 'y'""",
    ),
    "a library whose own errors led to its error": (
        """\
        import configparser

        def handler(system, this):
            configparser.ConfigParser().get('section', 'option')
        """,
        """\
        Traceback (most recent call last):
          File "flow hello", line 4, in handler
            configparser.ConfigParser().get('section', 'option')
        configparser.NoSectionError: No section: 'section'""",
    ),
    "a group of errors": (
        """\
        def fail(number):
            raise ValueError(number)

        def handler(system, this):
            try:
                fail(1)
            except ValueError as error:
                raise ExceptionGroup('two', [error, OSError('gone')]) from None
        """,
        """\
          + Exception Group Traceback (most recent call last):
          |   File "flow hello", line 8, in handler
          |     raise ExceptionGroup('two', [error, OSError('gone')]) from None
          | ExceptionGroup: two (2 sub-exceptions)
          +-+---------------- 1 ----------------
            | Traceback (most recent call last):
            |   File "flow hello", line 6, in handler
            |     fail(1)
            |   File "flow hello", line 2, in fail
            |     raise ValueError(number)
            | ValueError: 1
            +---------------- 2 ----------------
            | OSError: gone
            +------------------------------------""",
    ),
    "a child that failed": (
        """\
        def step(this):
            return this.flow('may fail', name='the step')

        def handler(system, this):
            step(this)
        """,
        """\
        Traceback (most recent call last):
          File "flow hello", line 5, in handler
            step(this)
          File "flow hello", line 2, in step
            return this.flow('may fail', name='the step')
                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        flow_api.DependencyFailedError: execution leaf-x1 (leaf) failed: ValueError: boom \
(line 3)""",
    ),
    "an error in another thread": (
        """\
        import threading

        class Failed(Exception):
            pass

        def work(failures):
            try:
                1 / 0
            except ZeroDivisionError as error:
                failures.append(error)

        def handler(system, this):
            failures = []
            thread = threading.Thread(target=work, args=(failures,))
            thread.start()
            thread.join()
            raise Failed('no result') from failures[0]
        """,
        """\
        Traceback (most recent call last):
          File "flow hello", line 8, in work
            1 / 0
            ~~^~~
        ZeroDivisionError: division by zero

        The above exception was the direct cause of the following exception:

        Traceback (most recent call last):
          File "flow hello", line 17, in handler
            raise Failed('no result') from failures[0]
        flow_script.Failed: no result""",
    ),
    "a note": (
        """\
        def handler(system, this):
            error = ValueError('bad row')
            error.add_note('in line 5 of the table')
            raise error""",
        """\
        Traceback (most recent call last):
          File "flow hello", line 4, in handler
            raise error
        ValueError: bad row
        in line 5 of the table""",
    ),
    "a syntax error": (
        """\
        def handler(system, this):
            rows = [1, 2 3]
        """,
        """\
          File "flow hello", line 2
            rows = [1, 2 3]
                       ^^^
        SyntaxError: invalid syntax. Perhaps you forgot a comma?""",
    ),
    "a mistake that is found after parsing": (
        """\
        def handler(system, this):
            nonlocal rows
        """,
        """\
          File "flow hello", line 2
            nonlocal rows
            ^^^^^^^^^^^^^
        SyntaxError: no binding for nonlocal 'rows' found""",
    ),
}


def lines(text: str) -> list[str]:
    """Return the lines without those that mark a place: which are marked depends on the Python."""
    shown = dedent(text).splitlines()
    return [line for line in shown if not re.fullmatch(r"[ |]*[~^]+", line)]


@pytest.mark.parametrize(("script", "expected"), SHOWN.values(), ids=SHOWN.keys())
def test_a_traceback_of(script: str, expected: str) -> None:
    (text,) = run(dedent(script), script_name="flow hello").texts("traceback")
    assert lines(text) == lines(expected)


@pytest.mark.parametrize("end", ["", "\n"], ids=["the last line", "any other line"])
def test_the_place_in_a_line_is_marked(end: str) -> None:
    script = "def handler(system, this):\n    return 1 + 2 / 0" + end
    (text,) = run(script, script_name="flow hello").texts("traceback")
    assert "\n    return 1 + 2 / 0\n               ~~^~~\n" in text


def test_a_recursion_without_end_is_shown_in_short() -> None:
    script = "def f(n):\n    return f(n + 1)\n\ndef handler(system, this):\n    f(0)\n"
    (text,) = run(script, script_name="flow hello").texts("traceback")
    assert "[Previous line repeated" in text
    assert len(text.splitlines()) < 20
