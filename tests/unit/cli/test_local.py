"""`weir run FILE`: without a cluster, and told apart from a run in one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.unit.cli.fake import FakeCluster, flow, weir
from weir.cli.main import app
from weir.cli.session import Options
from weir.cluster.client import Cluster

HELLO = """
def handler(system, this, inputs):
    print('hello', inputs.get('person'))
    this.log('counted', n=this.flow('my_leaf', n=inputs.get('count', 1)).get('output_value')['n'])
    return {'person': inputs.get('person')}
"""
LEAF = """
def handler(system, this, inputs):
    print('leaf')
    return {'n': inputs['n'] * 2}
"""
MANIFESTS = """
apiVersion: weir.dev/v1alpha1
kind: Flow
metadata: {name: strict}
spec:
  title: The strict one
  timeout: 1m
  inputSchema: {type: object, required: [rows]}
  script: |
    def handler(system, this, inputs):
        value = system.setting('factor').get('value')
        commit = this.connect('repository', command='metadata').get('output_value')
        return {'rows': inputs['rows'] * value, 'commit': commit}
---
apiVersion: weir.dev/v1alpha1
kind: Setting
metadata: {name: factor}
spec: {value: 3}
---
apiVersion: weir.dev/v1alpha1
kind: Connector
metadata: {name: repository}
spec:
  type: GIT
  inputs: {repository_url: 'https://example.com/r.git', username: weir}
  secretInputs:
    - input: password
      secretKeyRef: {name: credentials, key: token}
---
apiVersion: v1
kind: Secret
metadata: {name: credentials}
stringData: {token: hunter22}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: other}
"""


def here(*arguments: str) -> Result:
    """Call the command where nobody answers for a cluster."""

    async def connect(options: Options) -> Cluster:
        raise AssertionError("a run here asks no cluster")

    runner = CliRunner(env={"NO_COLOR": "1"})
    return runner.invoke(
        app, arguments, obj=Options(connect=connect), prog_name="weir", catch_exceptions=False
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with scripts."""
    (tmp_path / "hello.py").write_text(HELLO)
    (tmp_path / "my-leaf.py").write_text(LEAF)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_file_runs_here_with_its_neighbours(folder: Path) -> None:
    result = here("run", "hello.py", "--input", "person=Ada", "-i", "count=21")
    assert result.exit_code == 0
    log, _, outputs = result.stdout.partition("{\n")
    first, leaf, last = log.splitlines()
    assert (first, last) == ("hello Ada", 'counted {"n": 42}')
    assert leaf.startswith("my-leaf-")
    assert leaf.endswith("  leaf")
    assert json.loads("{" + outputs) == {"person": "Ada"}
    said = result.stderr.splitlines()
    assert said[0] == f"{folder / 'hello.py'} runs in this process, without a cluster"
    assert [line.split()[-3:-1] for line in said[-2:]] == [["✔", "Succeeded"]] * 2


def test_only_the_outputs_go_to_standard_output_if_that_is_asked_for(folder: Path) -> None:
    for option in (("-o", "json"), ("--wait",)):
        result = here("run", "hello.py", *option)
        assert json.loads(result.stdout) == {"person": None}
        assert "hello None" in result.stderr


def test_a_failed_run_says_why_and_ends_with_1(folder: Path) -> None:
    (folder / "my-leaf.py").write_text("def handler(system, this):\n    return 1 / 0\n")
    result = here("run", "hello.py")
    assert result.exit_code == 1
    assert "    return 1 / 0" in result.stdout
    assert "(my-leaf) failed: ZeroDivisionError: division by zero (line 2)" in result.stderr


def test_a_cancelled_run_ends_with_3(folder: Path) -> None:
    (folder / "stop.py").write_text("def handler(system, this):\n    this.cancel()\n")
    result = here("run", "stop.py")
    assert result.exit_code == 3
    assert result.stderr.splitlines()[-1].startswith("Cancelled after ")


def test_answers_and_connections_are_said_on_the_command_line(folder: Path) -> None:
    (folder / "ask.py").write_text(
        """
def handler(system, this):
    system.message('Begun', 'all *well*')
    rows = this.connect('orders').get('output_value')['rows']
    name = this.message('Who?', request='Your name').get('response')['string']
    try:
        this.connect('broken')
    except Exception as error:
        this.log(str(error).partition(' failed: ')[2])
    return {'rows': rows, 'name': name}
"""
    )
    (folder / "orders.json").write_text('{"rows": [1, 2]}')
    result = here(
        *("run", "ask.py", "--answer", "Who?=Ada", "--connection", "orders=@orders.json"),
        *("--connection", "broken=no route to host"),
    )
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("no route to host\n")
    assert json.loads(result.stdout.partition("\n")[2]) == {"rows": [1, 2], "name": "Ada"}
    assert "message: Begun: all *well*" in result.stderr


def test_a_message_that_nobody_can_answer_ends_the_command(folder: Path) -> None:
    (folder / "ask.py").write_text(
        "def handler(system, this):\n    this.message('Go?', request='text')\n"
    )
    result = here("run", "ask.py")
    assert result.exit_code == 4
    assert "waits for an answer to the message 'Go?'; say it by --answer" in result.stderr


def test_manifests_of_the_folder_count_too(folder: Path) -> None:
    (folder / "all.yaml").write_text(MANIFESTS)
    (folder / "chart.yaml").write_text("{{ if .Values.on }}")
    given = ("--connection", 'repository={"sha": "abc"}', "-o", "json")
    result = here("run", "The strict one", "--local", "-i", "rows=2", *given)
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) == {"rows": 6, "commit": {"sha": "abc"}}
    assert "chart.yaml is left out" in result.stderr
    result = here("run", "strict", "--local", "--flows", str(folder), *given)
    assert result.exit_code == 1
    assert "inputs: lacks rows" in result.stderr
    # The file of that name is the script, and the manifest says how it is run.
    (folder / "strict.py").write_text("def handler(system, this):\n    return {'file': True}\n")
    result = here("run", "strict.py", "-i", "rows=1", "-o", "json")
    assert json.loads(result.stdout) == {"file": True}
    assert here("run", "strict.py").exit_code == 1


def test_a_connector_gets_its_secret_from_the_manifests(folder: Path) -> None:
    from weir.cli.local_flows import found_in

    (folder / "all.yaml").write_text(MANIFESTS)
    repository = found_in(folder).connectors["repository"]
    assert repository.inputs["password"] == "hunter22"
    assert repository.secret_inputs == ("password",)


def test_a_manifest_that_is_wrong_is_refused(folder: Path) -> None:
    (folder / "bad.yaml").write_text(
        "apiVersion: weir.dev/v1alpha1\nkind: Flow\nmetadata: {name: bad}\nspec: {}\n"
    )
    result = here("run", "hello.py")
    assert result.exit_code == 2
    assert "bad.yaml: Flow: spec.script: Field required" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing.py",), "there is no file nothing.py"),
        (("nothing", "--local"), "there are hello, my-leaf"),
        (("hello.py", "--flows", "nowhere"), "there is no folder nowhere"),
        (("hello.py", "-n", "team-a"), "--namespace is for runs in a cluster"),
        (("hello.py", "--name", "x"), "--name is for runs in a cluster"),
        (
            ("hello.py", "-o", "name"),
            "a run here leaves no object, only outputs; there are json, yaml",
        ),
        (("hello.py", "--timeout", "soon"), "--timeout: 'soon' is no duration"),
        (("hello.py", "--answer", "yes"), "--answer 'yes': write SUBJECT=VALUE"),
        (("hello", "--answer", "a=b"), "--answer is for runs without a cluster"),
        (("hello", "--skip-time"), "--skip-time is for runs without a cluster"),
        (("hello.py", "--cluster"), "hello.py is a file: make a Flow of it"),
    ],
)
def test_what_does_not_fit_is_refused(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    result = here("run", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_name_runs_in_the_cluster_even_where_a_file_is_near(folder: Path) -> None:
    result = weir(FakeCluster(flow("hello")), "run", "hello")
    assert result.exit_code == 0
    assert result.stdout.startswith("execution/hello-")


def test_an_unknown_name_points_to_the_file_that_is_near(folder: Path) -> None:
    result = weir(FakeCluster(), "run", "hello")
    assert result.exit_code == 2
    assert "hello.py is a file here: `weir run hello.py` runs it without a cluster" in result.stderr
    assert "is a file here" not in weir(FakeCluster(), "run", "other").stderr


def test_sleeps_are_skipped_if_that_is_asked_for(folder: Path) -> None:
    (folder / "slow.py").write_text(
        "def handler(system, this):\n    this.sleep(3600)\n    print('awake')\n"
    )
    result = here("run", "slow.py", "--skip-time")
    assert result.stdout == "awake\n"
    assert result.stderr.splitlines()[-1] == "Succeeded after 1h0m0s"


def test_the_timeout_of_the_command_holds(folder: Path) -> None:
    (folder / "slow.py").write_text("def handler(system, this):\n    this.sleep(3600)\n")
    result = here("run", "slow.py", "--timeout", "20ms", "--mode", "Development")
    assert result.exit_code == 1
    assert "the run took longer than 20ms" in result.stderr
