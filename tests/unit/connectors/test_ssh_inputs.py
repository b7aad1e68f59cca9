"""What the SSH type accepts, beyond types."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest

from tests.unit.connectors.test_git_inputs import KEY, openssh_key
from weir_connectors import registry
from weir_connectors.errors import InvalidInputError, MissingInputError
from weir_connectors.inputs import parse
from weir_connectors.ssh_inputs import SshInputs, programs

WHERE = {"hostname": "host.example", "username": "ada", "hostkey": False}


def parsed(**inputs: Any) -> SshInputs:
    return parse("SSH", SshInputs, {**WHERE, "password": "x", "script": "uptime", **inputs})


def test_the_defaults_are_those_that_scripts_expect() -> None:
    inputs = parsed()
    assert (inputs.port, inputs.interpreter, inputs.temp_path) == (
        22,
        "/usr/bin/env bash -e",
        "/tmp",
    )
    assert (inputs.connect_timeout, inputs.connect_tries, inputs.script_timeout) == (30, 3, 60)
    assert (inputs.remove_cr, inputs.remove_ansi_escapes, inputs.use_shell) == (True, True, False)


@pytest.mark.parametrize(
    "inputs",
    [
        pytest.param({"hostname": "10.0.0.1"}, id="an IPv4 address"),
        pytest.param({"hostname": "::1"}, id="an IPv6 address"),
        pytest.param({"hostname": "fe80::1%eth0"}, id="an IPv6 address of a link"),
        pytest.param({"hostname": "my_host"}, id="a name with an underscore"),
        pytest.param({"key": KEY}, id="a key beside a password"),
        pytest.param({"key": openssh_key(b"none")}, id="an OpenSSH key"),
        pytest.param(
            {"key": openssh_key(b"aes256-ctr"), "passphrase": "open"}, id="a locked key and its key"
        ),
        pytest.param({"hostkey": "ssh-ed25519 AAAA"}, id="a host's key"),
        pytest.param({"hostkey": "# ours\nhost ssh-rsa AAAA\n"}, id="a line of known_hosts"),
        pytest.param({"interpreter": "python3"}, id="another interpreter"),
        pytest.param({"output_vars": ["A", "_b1"]}, id="variables"),
        pytest.param({"interpreter": "sudo -n bash -e", "output_vars": ["A"]}, id="sudo bash"),
        pytest.param({"script_timeout": 604800}, id="a week"),
        pytest.param({"output_files": ["/etc/a b", "c"]}, id="files"),
        pytest.param({"copy_files": ["/etc/a b", "/" + "x" * 253]}, id="files to be copied"),
    ],
)
def test_a_value_is_accepted(inputs: dict[str, Any]) -> None:
    parsed(**inputs)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        pytest.param({"hostname": "ada@host"}, "hostname: expected the name", id="with a user"),
        pytest.param({"hostname": "host:22"}, "hostname: expected the name", id="with a port"),
        pytest.param({"hostname": "-oProxy"}, "hostname: expected the name", id="an option"),
        pytest.param({"hostname": ""}, "hostname: expected the name", id="no host"),
        pytest.param({"port": 0}, "port: expected a port, 1 to 65535", id="port 0"),
        pytest.param({"port": 65536}, "port: expected a port", id="a port too high"),
        pytest.param({"username": ""}, "username: expected a string that is not", id="no user"),
        pytest.param({"username": "a\nb"}, "username: expected", id="a user of two lines"),
        pytest.param({"password": ""}, "password: expected a string that is not", id="no password"),
        pytest.param({"key": "AAAA"}, "key: expected a private key as text", id="no PEM"),
        pytest.param({"key": openssh_key(b"aes")}, "without a passphrase", id="a locked key"),
        pytest.param({"hostkey": "SHA256:abc"}, "hostkey: expected lines", id="a fingerprint"),
        pytest.param({"script": " \n"}, "script: expected a script that is not", id="no script"),
        pytest.param({"script": "a\0b"}, "script: expected", id="a zero byte"),
        pytest.param({"temp_path": "tmp"}, "temp_path: expected an absolute path", id="relative"),
        pytest.param({"interpreter": " "}, "interpreter: expected a program", id="nothing"),
        pytest.param({"interpreter": "sh 'x"}, "interpreter: expected a program", id="a quote"),
        pytest.param({"interpreter": "-x"}, "interpreter: expected a program", id="no program"),
        pytest.param({"connect_timeout": 0}, "connect_timeout: expected seconds", id="no time"),
        pytest.param({"script_timeout": float("nan")}, "script_timeout: expected", id="no number"),
        pytest.param({"script_timeout": 1e9}, "at most 604800", id="too much time"),
        pytest.param({"connect_tries": 0}, "connect_tries: expected a number of", id="no try"),
        pytest.param({"connect_tries": 21}, "connect_tries: expected", id="too many tries"),
        pytest.param({"output_vars": ["A-B"]}, "output_vars: expected names", id="no variable"),
        pytest.param({"script": "#OUTPUT_VAR($A)"}, "script: expected names", id="in a comment"),
        pytest.param(
            {"interpreter": "python3", "output_vars": ["A"]},
            "interpreter: expected a shell (ash, bash",
            id="variables of no shell",
        ),
        pytest.param(
            {"interpreter": "python3", "script": "a = 1\n#OUTPUT_VAR(a)"},
            "interpreter: expected a shell",
            id="a comment in no shell's script",
        ),
        pytest.param({"output_files": [""]}, "output_files: expected paths", id="an empty path"),
        pytest.param(
            {"use_shell": True, "output_vars": ["A"]}, "output_vars: expected nothing", id="typed"
        ),
        pytest.param(
            {"use_shell": True, "output_files": ["a"]}, "output_files: expected nothing", id="file"
        ),
        pytest.param(
            {"use_shell": True, "script": "A=1 #OUTPUT_VAR(A)"}, "no #OUTPUT_VAR", id="a comment"
        ),
        pytest.param(
            {"copy_files": ["/" + "x" * 254]},
            "copy_files: expected paths of at most 253",
            id="name",
        ),
    ],
)
def test_a_value_is_refused(inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=re.escape(message)):
        parsed(**inputs)


def test_it_says_all_that_it_misses() -> None:
    with pytest.raises(MissingInputError) as refused:
        parse("SSH", SshInputs, {"hostname": "h", "username": "ada", "script": "uptime"})
    assert str(refused.value) == (
        "SSH: missing inputs key (a private key, or a password, to log in by ssh), hostkey"
        " (the host's known_hosts line, as ssh-keyscan prints it, or False for no check)"
    )


def test_a_secret_that_the_server_does_not_see_counts_as_given() -> None:
    inputs = {**WHERE, "script": "uptime"}
    with pytest.raises(MissingInputError, match="key"):
        registry.check("SSH", inputs)
    registry.check("SSH", inputs, secret_inputs=["key"])
    registry.check("SSH", inputs, secret_inputs=["password"])
    registry.check("SSH", inputs, secret_inputs=["key", "passphrase"])


def test_what_decides_who_gets_secrets_is_marked_and_so_are_they() -> None:
    assert registry.transport_inputs("SSH") == {"hostname", "username", "port", "hostkey"}
    assert registry.load("SSH").transport_inputs == registry.transport_inputs("SSH")
    assert registry.secret_inputs("SSH") == {"password", "key", "passphrase"}


def test_a_script_is_never_run_again() -> None:
    inputs = {**WHERE, "script": "true", "password": "x"}
    assert not registry.repeatable("SSH", inputs)
    assert not registry.load("SSH").repeatable(inputs)


def test_variables_are_named_by_the_list_and_by_comments_each_once() -> None:
    script = "A=1\n#OUTPUT_VAR(A)\n  # OUTPUT_VAR( B )\nC=2 #OUTPUT_VAR(C)\n#OUTPUT_VAR(A)\n"
    assert parsed(script=script, output_vars=["D", "B"]).names == ["D", "B", "A", "C"]


@pytest.mark.parametrize(
    ("interpreter", "needed"),
    [
        ("/usr/bin/env bash -e", ["/usr/bin/env", "bash"]),
        ("env -i LANG=C sh", ["env", "sh"]),
        ("/bin/sh -e", ["/bin/sh"]),
        ("env", ["env"]),
        ("'/opt/my tools/run' x", ["/opt/my tools/run"]),
    ],
)
def test_the_programs_of_an_interpreter_are_known(interpreter: str, needed: list[str]) -> None:
    assert programs(parsed(interpreter=interpreter).words) == needed


def test_the_description_is_a_json_schema() -> None:
    described = registry.describe("SSH")
    jsonschema.Draft202012Validator.check_schema(described)
    whole = {**WHERE, "script": "uptime", "password": "x"}
    jsonschema.validate({**whole, "port": 2222, "output_vars": ["A"]}, described)
    for wrong in ({**whole, "port": 0}, {**whole, "extra": 1}, WHERE):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, described)
    assert all(one["description"] for one in described["properties"].values())
