"""A connection type of another distribution: the one that docs/connectors.md shows, installed."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "connectors.md"

# Runs where the distribution is installed; prints what is to be seen as JSON.
PROGRAM = """
import json, sys
from weir_connectors import errors, registry

def refusal(call):
    try:
        call()
    except (errors.InputError, errors.ConnectionFailed, LookupError) as error:
        return f"{type(error).__name__}: {error}"

port, closed = map(int, sys.argv[1:])
inputs = {"hostname": "127.0.0.1", "port": port}
nobody = {**inputs, "port": closed}
log = []
print(json.dumps({
    "names": registry.names(),
    "transport": sorted(registry.transport_inputs("TCP")),
    "repeatable": registry.repeatable("TCP", inputs),
    "described": sorted(registry.describe("TCP")["properties"]),
    "extra": refusal(lambda: registry.check("TCP", {**inputs, "host": "x"})),
    "invalid": refusal(lambda: registry.check("TCP", {**inputs, "port": 0})),
    "outputs": registry.load("TCP").run(inputs, registry.Context(log=log.append)),
    "log": log,
    "failed": refusal(lambda: registry.load("TCP").run(nobody, registry.Context())),
    "broken": refusal(lambda: registry.load("BROKEN")),
    "git": registry.load("GIT").__class__.__module__,
}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the page's distribution was installed into."""
    folder = tmp_path_factory.mktemp("third-party")
    blocks = dict(re.findall(r"```(toml|python)\n(.*?)```", PAGE.read_text(), re.DOTALL))
    project = tomllib.loads(blocks["toml"])["project"]
    points = project["entry-points"]["weir.connectors"]
    wheel = write_wheel(folder, project, blocks["python"], points)
    target = folder / "site"
    install = (_uv(), "pip", "install", "--quiet", "--offline", "--no-deps", "--target")
    subprocess.run((*install, str(target), str(wheel)), check=True)
    return target


def write_wheel(folder: Path, project: dict[str, Any], code: str, points: dict[str, str]) -> Path:
    """Write a wheel as a build backend does; it also claims GIT, and has a type that is broken."""
    name = project["name"].replace("-", "_")
    info = f"{name}-{project['version']}.dist-info"
    claimed = {**points, "GIT": points["TCP"], "BROKEN": f"{name}:NOTHING"}
    lines = "\n".join(f"{name} = {value}" for name, value in claimed.items())
    files = {
        f"{name}.py": code,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[weir.connectors]\n{lines}\n",
    }
    record = f"{info}/RECORD"
    path = folder / f"{name}-{project['version']}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in files.items():
            wheel.writestr(file, text)
        wheel.writestr(record, "".join(f"{file},,\n" for file in (*files, record)))
    return path


def _uv() -> str:
    found = shutil.which("uv") or shutil.which("uv", path=str(PAGE.parents[1] / ".tools" / "bin"))
    if found is None:
        pytest.skip("needs uv, which `make setup` brings")
    return found


def test_a_type_of_another_distribution_is_used_like_weirs_own(installed: Path) -> None:
    with socket.socket() as listener, socket.socket() as closed:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        closed.bind(("127.0.0.1", 0))  # and does not listen
        ports = [str(one.getsockname()[1]) for one in (listener, closed)]
        run = subprocess.run(
            (sys.executable, "-c", PROGRAM, *ports),
            env={**os.environ, "PYTHONPATH": str(installed)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert run.stderr == ""
    seen = json.loads(run.stdout)
    assert {"TCP", "GIT", "REST"} <= set(seen["names"])
    assert seen["transport"] == ["hostname", "port"]
    assert seen["repeatable"]
    assert seen["described"] == ["hostname", "port", "timeout"]
    assert seen["extra"].startswith(
        "ExtraInputError: TCP: unknown input host (did you mean hostname?)"
    )
    assert seen["invalid"].startswith(
        "InvalidInputError: TCP: invalid input port: expected a number"
    )
    assert seen["outputs"] == {"address": "127.0.0.1"}
    assert seen["log"] == ["asking 127.0.0.1"]
    assert seen["failed"].startswith("ConnectionFailed: TCP: 127.0.0.1: ")
    assert seen["broken"].startswith('UnknownTypeError: connection type "BROKEN" cannot be loaded')
    assert seen["git"] == "weir_connectors.git"
