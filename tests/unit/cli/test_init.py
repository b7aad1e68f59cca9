"""`weir init`: what it begins with works, and nothing that is there is lost."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.cli.fake import FakeCluster, weir
from weir.api.repository import FlowRepository
from weir.cli import init
from weir.cli.errors import CliError
from weir.core import syncing
from weir.core.sources import SourceFile

PROGRAMS = Path(sys.executable).parent


def scaffolded(folder: Path, *options: str) -> Path:
    result = weir(FakeCluster(), "init", str(folder), *options)
    assert result.exit_code == 0, result.stderr
    return folder


def jobs_of(folder: Path) -> dict[str, list[str]]:
    """Return what CI runs, by the file that says so."""
    github: Any = yaml.safe_load((folder / ".github/workflows/flows.yaml").read_text())
    gitlab: Any = yaml.safe_load((folder / ".gitlab-ci.yml").read_text())
    steps = github["jobs"]["flows"]["steps"]
    return {
        "github": [step["run"] for step in steps if "run" in step],
        "gitlab": gitlab["flows"]["script"],
    }


def test_what_is_begun_passes_its_own_ci(tmp_path: Path) -> None:
    folder = scaffolded(tmp_path / "team-flows")
    jobs = jobs_of(folder)
    assert jobs["github"] == jobs["gitlab"]
    install, *commands = jobs["github"]
    assert install == "pip install -r requirements-dev.txt"  # what is installed here already
    path = f"{PROGRAMS}:{os.environ['PATH']}"
    # pytest's plugins of this project are none of the scaffold's.
    for command in [*commands, "weir run flows/hello.py --input person=Ada -o json"]:
        done = subprocess.run(
            [*command.split(), *(["-p", "no:asyncio"] if command == "pytest" else [])],
            cwd=folder,
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    assert json.loads(done.stdout)["greeting"] == "Hello, Ada!"


def test_what_is_begun_brings_its_flow_to_the_cluster(tmp_path: Path) -> None:
    folder = scaffolded(tmp_path / "team-flows")
    manifest = yaml.safe_load((folder / "repository.yaml").read_text())
    repository = FlowRepository.model_validate(manifest)
    assert repository.metadata.name == "team-flows"
    assert repository.spec.ref.branch == "main"
    written = repository.dump()["spec"]
    assert manifest["spec"].keys() <= written.keys()


def test_what_is_begun_is_taken_whole_by_a_sync(tmp_path: Path) -> None:
    folder = scaffolded(tmp_path / "team-flows")
    spec = FlowRepository.model_validate(
        yaml.safe_load((folder / "repository.yaml").read_text())
    ).spec
    # As a fetch gives them: what begins with a dot is left out.
    sources = [
        SourceFile(str(path.relative_to(folder)), path.read_bytes(), None)
        for path in folder.rglob("*")
        if path.is_file() and not any(part[0] == "." for part in path.relative_to(folder).parts)
    ]
    found = syncing.read(sources, spec, namespace="team-a", repository="team-flows")
    assert found.rejected == []
    (flow,) = found.desired
    assert (flow.kind, flow.name, flow.path) == ("Flow", "hello", "flows/hello.py")
    assert flow.body["spec"]["title"] == "Say hello"
    assert flow.body["spec"]["description"] == "Greets a person, and says how long the name is."


def test_the_address_and_the_namespace_are_those_that_are_said(tmp_path: Path) -> None:
    url = "ssh://git@git.example.com/team/flows.git"
    folder = scaffolded(tmp_path / "x", "--url", url, "--name", "team-a-flows", "-n", "team-a")
    manifest = yaml.safe_load((folder / "repository.yaml").read_text())
    assert manifest["metadata"] == {"name": "team-a-flows", "namespace": "team-a"}
    assert manifest["spec"]["url"] == url


def test_the_address_is_that_of_the_repositorys_origin(tmp_path: Path) -> None:
    origin = "git@git.example.com:team/flows.git"
    for arguments in (["init", "-q"], ["remote", "add", "origin", origin]):
        subprocess.run(["git", "-C", str(tmp_path), *arguments], check=True, capture_output=True)
    folder = scaffolded(tmp_path)
    assert yaml.safe_load((folder / "repository.yaml").read_text())["spec"]["url"] == origin


def test_what_is_there_stays_and_is_listed(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    result = weir(FakeCluster(), "init", str(tmp_path))
    assert result.exit_code == 0
    assert f"{tmp_path}/README.md is there already, and stays as it is" in result.stderr
    assert (tmp_path / "README.md").read_text() == "mine"
    assert (tmp_path / "flows/hello.py").is_file()


def test_three_commands_come_next(tmp_path: Path) -> None:
    told = weir(FakeCluster(), "init", str(tmp_path / "a")).stderr
    after = told.split("next:\n")[1].splitlines()
    assert len(after) == 3
    assert "weir run flows/hello.py" in after[0]
    assert "pytest" in after[1]
    assert "kubectl apply -f repository.yaml" in after[2]
    assert "next:" not in weir(FakeCluster(), "init", str(tmp_path / "a")).stderr


def test_force_asks_of_each_file(tmp_path: Path) -> None:
    scaffolded(tmp_path)
    for name in ("README.md", "pytest.ini"):
        (tmp_path / name).write_text("mine")
    asked: list[str] = []

    def ask(question: str) -> bool:
        asked.append(question)
        return "README.md" in question

    init.init(init.Plan(tmp_path, force=True), output="name", ask=ask)
    assert len(asked) == len(init._FILES)
    assert (tmp_path / "README.md").read_text() != "mine"
    assert (tmp_path / "pytest.ini").read_text() == "mine"


def test_force_overwrites_nothing_where_nobody_can_be_asked(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    result = weir(FakeCluster(), "init", str(tmp_path), "--force")
    assert result.exit_code == 2
    assert "no terminal" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


def test_a_file_in_the_way_leaves_everything_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "tests").write_text("no folder")
    result = weir(FakeCluster(), "init", str(tmp_path))
    assert result.exit_code == 2
    assert f"{tmp_path}/tests is no folder" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["tests"]


def test_a_name_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CliError, match="cannot be an object's name: take team-a"):
        init.init(init.Plan(tmp_path / "x", name="Team A"), output="text")
    assert not (tmp_path / "x").exists()


def test_programs_read_what_was_written(tmp_path: Path) -> None:
    result = weir(FakeCluster(), "init", str(tmp_path / "a"), "-o", "json")
    told = json.loads(result.stdout)
    assert told["written"] == list(init._FILES)
    assert told["kept"] == []
