"""A server, and runners as processes of their own against it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

import weir_runner
from tests.integration.runner.tls_server import SECONDS, RunnerServer
from tests.unit.flow_api.fake_backend import view
from weir_protocol import Assignment, encode


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunnerServer]:
    server = RunnerServer(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("a-token\n")
    return path


class Runner:
    """Starts `python -m weir_runner` with a script as its work."""

    def __init__(self, server: RunnerServer, token_file: Path) -> None:
        self._server = server
        self._token_file = token_file
        self.process: subprocess.Popen[str] | None = None

    def start(self, script: str | None, **fields: Any) -> None:
        work = Assignment(
            namespace="demo",
            execution=view("own"),
            try_number=1,
            attempt=2,
            script=None if script is None else dedent(script),
            **fields,
        )
        self._server.on.setdefault("assignment", lambda _: (200, encode(work)))
        self._server.on.setdefault("control", self._server.hold)
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(weir_runner.__file__).parents[1]),
            "WEIR_SERVER": self._server.address,
            "WEIR_SERVER_NAME": "weir-server",
            "WEIR_SERVER_CA": self._server.authority,
            "WEIR_TOKEN_FILE": str(self._token_file),
            "PYTHONHASHSEED": "0",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "weir_runner"],
            env=environment,
            cwd=self._token_file.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def left(self) -> tuple[int, str]:
        """Wait until the runner has left; return its exit code and its stderr."""
        assert self.process is not None
        _, errors = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, errors

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


@pytest.fixture
def runner(server: RunnerServer, token_file: Path) -> Iterator[Runner]:
    runner = Runner(server, token_file)
    yield runner
    runner.kill()
