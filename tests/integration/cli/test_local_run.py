"""`weir run FILE` as a program: signals, and a person at a terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

WEIR = Path(sys.executable).parent / "weir"
PATIENCE = 30.0

LOOP = """
def handler(system, this):
    print('begun')
    try:
        while True:
            sum(range(1000))
    finally:
        print('tidied')
"""
STUBBORN = """
import time

def handler(system, this):
    print('begun')
    while True:
        try:
            time.sleep(0.01)
        except BaseException:
            print('no')
"""
ASK = """
def handler(system, this):
    name = this.message('Who are you?', request='Your name').get('response')['string']
    print('hello', name)
"""


def started(folder: Path, script: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
    (folder / "script.py").write_text(script)
    return subprocess.Popen(
        [WEIR, "run", "script.py"],
        cwd=folder,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A test run in the background of a shell would hand down that Ctrl-C is ignored.
        preexec_fn=_heed_ctrl_c,
    )


def _heed_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Both ends of a terminal: the person's, the program's."""
    person, program = pty.openpty()
    yield person, program
    os.close(person)
    os.close(program)


def test_ctrl_c_cancels_the_run(tmp_path: Path) -> None:
    with started(tmp_path, LOOP) as command:
        assert command.stdout is not None
        assert command.stdout.readline() == "begun\n"
        command.send_signal(signal.SIGINT)
        out, err = command.communicate(timeout=PATIENCE)
    assert command.returncode == 3
    assert out == "tidied\n"
    assert "cancelling; Ctrl-C again leaves at once" in err
    assert "Cancelled" in err.splitlines()[-1]


def test_a_second_ctrl_c_leaves_at_once(tmp_path: Path) -> None:
    with started(tmp_path, STUBBORN) as command:
        assert command.stdout is not None
        assert command.stdout.readline() == "begun\n"
        command.send_signal(signal.SIGINT)
        assert command.stdout.readline() == "no\n"
        command.send_signal(signal.SIGINT)
        command.communicate(timeout=PATIENCE)
    assert command.returncode == 130


def test_a_person_at_the_terminal_is_asked(tmp_path: Path, terminal: tuple[int, int]) -> None:
    person, program = terminal
    with started(tmp_path, ASK, stdin=program) as command:
        assert command.stderr is not None
        said = ""
        while "Your name" not in said:
            assert select.select([command.stderr], [], [], PATIENCE)[0], said
            said += os.read(command.stderr.fileno(), 4096).decode()
        os.write(person, b"Ada\n\n")
        out, _ = command.communicate(timeout=PATIENCE)
    assert "Who are you?" in said
    assert out == "hello Ada\n"
    assert command.returncode == 0
