"""Where a loop may be interrupted so that the `try` around it hears of it."""

import dis
import sys
from collections.abc import Callable
from types import CodeType, FrameType, SimpleNamespace
from typing import cast

import pytest

from weir_runner.interrupts import passes_by_try

IN_TRY = """
try:
    while True: print()
finally:
    print()
"""

IN_TWO = """
try:
    print()
    try:
        while True: print()
    finally:
        print()
except ValueError:
    pass
"""

ALONE = """
while True: print()
"""


def _at(code: CodeType, offset: int) -> bool:
    return passes_by_try(cast(FrameType, SimpleNamespace(f_code=code, f_lasti=offset)))


def _offsets(code: CodeType, named: Callable[[str], bool]) -> list[dis.Instruction]:
    return [one for one in dis.get_instructions(code) if named(one.opname)]


def _loop_start(code: CodeType) -> int:
    """Return where the loop jumps back to."""
    (jump,) = _offsets(code, lambda name: name.startswith("JUMP_BACKW"))
    return int(jump.argval)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="Python 3.11 alone looks after the jump")
@pytest.mark.parametrize("source", [IN_TRY, IN_TWO])
def test_the_jump_back_to_the_start_of_a_try_is_put_off(source: str) -> None:
    code = compile(source, "script.py", "exec")
    assert _at(code, _loop_start(code) - 2)


@pytest.mark.parametrize("source", [IN_TRY, IN_TWO, ALONE])
def test_a_call_in_a_loop_may_be_interrupted(source: str) -> None:
    code = compile(source, "script.py", "exec")
    calls = [one.offset for one in _offsets(code, lambda name: name == "CALL")]
    assert not _at(code, min(call for call in calls if call > _loop_start(code)))


def test_a_loop_without_a_try_may_be_interrupted_anywhere() -> None:
    code = compile(ALONE, "script.py", "exec")
    assert not any(_at(code, one.offset) for one in _offsets(code, lambda name: True))
