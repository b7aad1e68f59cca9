"""What is sent to a host. That it does what it is to do: tests/integration/connectors."""

from __future__ import annotations

import shlex

import pytest

from weir_connectors.ssh_inputs import SshInputs
from weir_connectors.ssh_script import prepared, program

RECORD = ". '/tmp/x y/record'"


@pytest.mark.parametrize(
    ("script", "names", "sent"),
    [
        pytest.param("echo 1\n#OUTPUT_VAR(A)", [], "echo 1\n#OUTPUT_VAR(A)", id="no variables"),
        pytest.param(
            "A=1\n  # OUTPUT_VAR(A)\necho",
            ["A"],
            f"trap {shlex.quote(RECORD)} EXIT; A=1\n{RECORD}\necho",
            id="a comment records, and lines keep their numbers",
        ),
        pytest.param(
            "A=1 #OUTPUT_VAR(A)",
            ["A"],
            f"trap {shlex.quote(RECORD)} EXIT; A=1 #OUTPUT_VAR(A)",
            id="a comment behind a command stays",
        ),
    ],
)
def test_a_script_is_made_to_record_its_variables(script: str, names: list[str], sent: str) -> None:
    assert prepared(script, names, "/tmp/x y") == sent


def test_the_text_is_one_compound_command_with_everything_quoted() -> None:
    inputs = SshInputs(
        hostname="h",
        username="u",
        script="echo '$A'",
        interpreter="'/opt/my sh' -e",
        temp_path="/var/my tmp/",
        output_files=["a'b"],
        script_timeout=2.5,
    )
    text = program(inputs, "f00")
    assert text.startswith("{\nweir_token=f00\n")
    assert text.endswith("}\n")
    assert "weir_dir='/var/my tmp/weir-f00'\n" in text
    assert "<<'f00'\necho '$A'\nf00\n" in text
    assert "set -- '/opt/my sh' -e\n" in text
    assert "give 0 'a'\"'\"'b'\n" in text
    assert "weir_seconds=33\n" in text
