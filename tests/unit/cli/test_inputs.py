"""Inputs on the command line and in files."""

from pathlib import Path
from typing import Any

import pytest

from weir.cli import inputs
from weir.cli.errors import CliError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("Ada", "Ada", id="a word is a text"),
        pytest.param("", "", id="nothing is an empty text"),
        pytest.param("3", 3, id="a number is a number"),
        pytest.param("-1.5e3", -1500.0, id="a number may have a fraction and an exponent"),
        pytest.param('"3"', "3", id="a quoted number is a text"),
        pytest.param("true", True, id="true is a truth value"),
        pytest.param("null", None, id="null is nothing"),
        pytest.param('{"a": [1, 2]}', {"a": [1, 2]}, id="an object is an object"),
        pytest.param("NaN", "NaN", id="what JSON has not is a text"),
        pytest.param("{broken", "{broken", id="what is no JSON is a text"),
        pytest.param("007", "007", id="a number with leading zeros is a text"),
    ],
)
def test_a_value_is_json_else_a_text(text: str, value: Any) -> None:
    assert inputs.value(text) == value
    assert type(inputs.value(text)) is type(value)


def test_the_nearer_option_overrides_the_file(tmp_path: Path) -> None:
    whole = tmp_path / "inputs.yaml"
    whole.write_text("person: Ada\ncount: 1\n")
    table = tmp_path / "table.csv"
    table.write_text("a,b\n")
    found = inputs.gather(["count=3", "url=https://x/?a=b"], [f"table={table}"], whole)
    assert found == {"person": "Ada", "count": 3, "table": "a,b\n", "url": "https://x/?a=b"}


def test_a_json_file_is_given_as_its_value(tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    file.write_text('[{"a": 1}]')
    assert inputs.gather([], [f"rows={file}"]) == {"rows": [{"a": 1}]}


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        pytest.param("a.yaml", "- 1\n", "must hold an object", id="a list is no object"),
        pytest.param("a.yaml", "1: x\n", "keys are texts", id="a key that is a number"),
        pytest.param("a.yaml", "a: [\n", "neither YAML nor JSON", id="broken YAML"),
        pytest.param("a.yaml", "day: 2026-01-05\n", "quote it", id="a date, which JSON has not"),
        pytest.param("a.json", "{", "is no JSON", id="broken JSON"),
        pytest.param("a.json", '{"a": NaN}', "is no JSON", id="a number that JSON has not"),
    ],
)
def test_a_bad_file_is_named_with_its_fault(
    tmp_path: Path, name: str, content: str, complaint: str
) -> None:
    file = tmp_path / name
    file.write_text(content)
    with pytest.raises(CliError, match=complaint) as error:
        inputs.gather([], [], file)
    assert str(file) in error.value.message


@pytest.mark.parametrize(
    ("pairs", "files", "complaint"),
    [
        pytest.param(["Ada"], [], "write name=value", id="no equals sign"),
        pytest.param(["=Ada"], [], "write name=value", id="no name"),
        pytest.param([], ["table"], "write name=path", id="no path"),
        pytest.param([], ["table=/no/such"], "No such file", id="no such file"),
        pytest.param(["a=" + "x" * 70_000], [], "68 KiB", id="more than an Execution holds"),
    ],
)
def test_a_bad_option_says_what_to_write(
    pairs: list[str], files: list[str], complaint: str
) -> None:
    with pytest.raises(CliError, match=complaint):
        inputs.gather(pairs, files)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "picture"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CliError, match="no UTF-8 text"):
        inputs.gather([], [f"picture={file}"])
