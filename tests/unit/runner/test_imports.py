"""A runner is started for every execution: what it imports is paid for each time."""

import os
import subprocess
import sys
from pathlib import Path

import weir_runner

SOURCES = str(Path(weir_runner.__file__).parents[1])

# Imported while the server works on the first request, if at all.
LATER = {
    "asyncio",
    "concurrent",
    "ctypes",
    "dataclasses",
    "email",
    "flow_api",
    "http",
    "inspect",
    "linecache",
    "logging",
    "pathlib",
    "pickle",
    "random",
    "shutil",
    "subprocess",
    "tempfile",
    "threading",
    "traceback",
    "unittest",
    "urllib",
    "weir_connectors",
    "weir_protocol",
    "zipfile",
}

# Not even by a whole run of a script.
NEVER = {"asyncio", "concurrent", "email", "http", "logging", "subprocess", "weir_connectors"}

FIRST_REQUEST = """
import os, sys
from weir_runner import https, main

def send(*_):
    print(*sorted(sys.modules))
    raise SystemExit

https.HttpsConnection.__init__ = lambda *_: None
https.HttpsConnection.send = send
os.environ["WEIR_TOKEN_FILE"] = os.devnull
main.main()
"""

SESSION = "import sys, weir_runner.main, weir_runner.session; print(*sorted(sys.modules))"


def _modules(program: str) -> set[str]:
    settings = ("WEIR_SERVER", "WEIR_SERVER_NAME", "WEIR_SERVER_CA", "WEIR_TOKEN_FILE")
    environment = {"PYTHONPATH": SOURCES, **dict.fromkeys(settings, "x")}
    # -S: what this machine's site-packages import at the start is not the image's.
    done = subprocess.run(
        [sys.executable, "-P", "-S", "-c", program],
        env=environment | {"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def _packages(modules: set[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


def test_the_first_request_waits_for_few_imports() -> None:
    modules = _modules(FIRST_REQUEST)
    assert _packages(modules) & LATER == set()
    assert {module for module in modules if module.startswith("weir")} == {
        "weir_runner",
        "weir_runner.departure",
        "weir_runner.https",
        "weir_runner.interrupts",
        "weir_runner.main",
        "weir_runner.transport",
    }


def test_a_script_runs_without_heavy_imports() -> None:
    modules = _modules(SESSION)
    assert _packages(modules) & NEVER == set()
    # Only failures need them.
    assert modules & {"weir_runner.hints", "weir_runner.conversions", "difflib"} == set()
