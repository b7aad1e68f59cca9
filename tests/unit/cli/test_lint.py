"""`weir lint`: which files it reads, where in them it points, and how it ends."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.fake import FakeCluster, weir
from weir.cli import manifests

EXAMPLES = Path(__file__).parents[3] / "examples"

WARNED = "def handler(system, this):\n    this.flow()\n"
BROKEN = "def handler(system, this):\n    return )\n"
CLEAN = "def handler(system, this):\n    return {}\n"
NOTICED = "import requests\ndef handler(system, this):\n    this.flow('x')\n    requests.get('u')\n"

MANIFEST = """\
# A comment.
apiVersion: weir.dev/v1alpha1
kind: Flow
metadata:
  name: first
spec:
  script: |
    def handler(system, this):
        this.flow()
---
apiVersion: v1
kind: ConfigMap
data:
  script: this is no Python
---
apiVersion: weir.dev/v1alpha1
kind: Flow
metadata: {name: second}
spec:
  timeout: 1m
  script: |4

      import pandas
      def handler(system, this):
          this.flow()
"""


def lint(*arguments: str, stdin: str | None = None) -> tuple[int, list[str], str]:
    result = weir(FakeCluster(), "lint", *arguments, stdin=stdin)
    lines = [line for line in result.stdout.splitlines() if not line.startswith("  help: ")]
    return result.exit_code, lines, result.stderr


def written(folder: Path, text: str, name: str = "flow.py") -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("text", "arguments", "code"),
    [
        pytest.param(CLEAN, [], 0, id="nothing is found"),
        pytest.param(WARNED, [], 0, id="warnings do not fail"),
        pytest.param(WARNED, ["--strict"], 1, id="but with --strict they do"),
        pytest.param(WARNED, ["--strict", "--ignore", "w101"], 0, id="unless they are left out"),
        pytest.param(NOTICED, ["--strict"], 0, id="notices never fail"),
        pytest.param(BROKEN, [], 1, id="errors do"),
        pytest.param(BROKEN, ["--ignore", "E101"], 2, id="and cannot be left out"),
        pytest.param(CLEAN, ["--ignore", "W999"], 2, id="an unknown code"),
        pytest.param(CLEAN, ["-o", "wide"], 2, id="an unknown form"),
    ],
)
def test_it_ends_with(tmp_path: Path, text: str, arguments: list[str], code: int) -> None:
    assert lint(written(tmp_path, text), *arguments)[0] == code


def test_findings_say_where_and_what_to_do(tmp_path: Path) -> None:
    path = written(tmp_path, WARNED)
    result = weir(FakeCluster(), "lint", path)
    assert result.stdout == (
        f"{path}:2:5: W101 `this.flow(…)` without its first argument\n"
        "  help: write `this.flow('its name', key=value)`: keywords are inputs\n"
    )
    assert result.stderr == "1 script checked: 1 warning\n"


def test_findings_are_objects_for_programs(tmp_path: Path) -> None:
    path = written(tmp_path, WARNED)
    (found,) = json.loads(weir(FakeCluster(), "lint", path, "-o", "json").stdout)
    assert found == {
        "path": path,
        "line": 2,
        "column": 5,
        "code": "W101",
        "name": "flow-without-name",
        "severity": "warning",
        "message": "`this.flow(…)` without its first argument",
        "help": "write `this.flow('its name', key=value)`: keywords are inputs",
    }


def test_no_findings_are_an_empty_list(tmp_path: Path) -> None:
    assert lint(written(tmp_path, CLEAN), "-o", "json")[1] == ["[]"]


def test_findings_in_a_manifest_are_at_the_lines_of_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, MANIFEST, "flows.yaml")
    _, lines, summary = lint(path)
    assert lines == [
        f"{path}:9:9: W101 `this.flow(…)` without its first argument",
        f"{path}:23:7: W115 the runner has no module `pandas`",
        f"{path}:25:11: W101 `this.flow(…)` without its first argument",
    ]
    assert summary == "2 scripts checked: 3 warnings\n"


@pytest.mark.parametrize(
    ("spec", "codes"),
    [
        pytest.param("script: |\n    import pandas\n", ["E102", "W115"], id="none"),
        pytest.param("requirements: [pandas]\n", [], id="requirements bring modules"),
        pytest.param("runner: {image: mine}\n", [], id="an image brings modules"),
        pytest.param("onRunnerLost: Fail\n", ["W115"], id="a run that is not resumed"),
    ],
)
def test_the_rest_of_a_manifest_counts(tmp_path: Path, spec: str, codes: list[str]) -> None:
    script = (
        "  script: |\n    import pandas\n    def handler(system, this):\n      this.flow('x')\n"
    )
    more = "" if spec.startswith("script") else f"  {spec}"
    text = f"kind: Flow\nmetadata: {{name: x}}\nspec:\n{more}{script}"
    path = written(tmp_path, text, "flow.yaml")
    found = json.loads(weir(FakeCluster(), "lint", path, "-o", "json").stdout)
    assert [one["code"] for one in found] == [code for code in codes if code != "E102"]


def test_a_script_that_is_quoted_has_the_line_where_it_begins(tmp_path: Path) -> None:
    text = 'kind: Flow\nspec:\n  script: "def handler(system, this):\\n    this.flow()"\n'
    path = written(tmp_path, text, "flow.yaml")
    assert lint(path)[1] == [
        f"{path}:3:11: W101 `this.flow(…)` without its first argument (line 2 of the script)"
    ]


def test_the_flows_of_a_list_are_read(tmp_path: Path) -> None:
    text = "kind: List\nitems:\n- kind: Flow\n  spec:\n    script: x = 1\n"
    assert len(lint(written(tmp_path, text, "flows.yml"))[1]) == 1


def test_what_is_no_yaml_is_an_error(tmp_path: Path) -> None:
    path = written(tmp_path, "kind: Flow\nspec: [\n", "flow.yaml")
    code, lines, _ = lint(path)
    assert code == 1
    assert lines[0].startswith(f"{path}:3:1: E101 no YAML: ")


def test_in_a_folder_flows_are_found(tmp_path: Path) -> None:
    flow = written(tmp_path, WARNED, "flows/deep/flow.py")
    manifest = written(tmp_path, MANIFEST, "flows/flows.yaml")
    written(tmp_path, "x = 1", "flows/test_flow.py")
    written(tmp_path, BROKEN, "flows/.git/flow.py")
    written(tmp_path, "no: flow", "flows/values.yaml")
    written(tmp_path, "x", "flows/notes.txt")
    code, lines, summary = lint(str(tmp_path / "flows"))
    assert code == 0
    assert {line.partition(":")[0] for line in lines} == {flow, manifest}
    assert summary == "3 scripts checked: 4 warnings\n"


def test_a_named_file_is_read_whatever_it_holds(tmp_path: Path) -> None:
    assert lint(written(tmp_path, "x = 1", "flow.txt"))[0] == 1


@pytest.mark.parametrize("text", [WARNED, MANIFEST], ids=["a script", "a manifest"])
def test_standard_input_is(text: str) -> None:
    code, lines, _ = lint("-", stdin=text)
    assert code == 0
    assert lines[0].startswith("-:")


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["is not there", "is no text"])
def test_a_file_that(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "flow.py"
    if content is not None:
        path.write_bytes(content)
    code, _, error = lint(str(path))
    assert code == 2
    assert str(path) in error


def test_the_examples_are_clean() -> None:
    code, lines, summary = lint(str(EXAMPLES), "--strict")
    assert lines == []
    assert code == 0
    assert summary.endswith("nothing found\n")


def test_nothing_steers_the_terminal(tmp_path: Path) -> None:
    path = written(tmp_path, "def handler(system, this):\n    this.get('\x1b[31m')\n")
    assert "\x1b" not in weir(FakeCluster(), "lint", path).stdout


def test_a_script_that_is_indented_oddly_is_found() -> None:
    (only,) = manifests.scripts_in("kind: Flow\nspec:\n    script: |\n\n\n        x = 1\n")
    assert (only.line, only.indent, only.source) == (4, 8, "\n\nx = 1\n")
