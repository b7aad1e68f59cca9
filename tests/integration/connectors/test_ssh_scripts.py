"""What becomes of a script that is run on a real OpenSSH server: outputs, report, log."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.integration.connectors.ssh_scripts import Host, until
from weir_connectors import ssh_report
from weir_connectors.errors import ConnectionFailed, InvalidInputError


def test_a_script_runs_as_the_user_in_the_hosts_own_environment(host: Host) -> None:
    outputs = host.run('echo "$(id -un) in $HOME by ${SSH_CONNECTION##* }"')
    assert outputs["retcode"] == 0
    user, _, home, _, port = outputs["report"].split()
    assert (user, port) == (host.server.user, str(host.server.port))
    assert home == str(Path(f"~{user}").expanduser())
    assert outputs["var"] == {}
    assert "files" not in outputs


def test_what_it_writes_as_errors_is_in_the_report_in_order(host: Host) -> None:
    outputs = host.run("echo one; echo two >&2; echo three")
    assert outputs["report"] == "one\ntwo\nthree\n"


def test_escapes_and_carriage_returns_are_removed_unless_they_are_wanted(host: Host) -> None:
    script = r"printf '\033[1;31mred\033[0m\r\n'"
    assert host.run(script)["report"] == "red\n"
    kept = host.run(script, remove_cr=False, remove_ansi_escapes=False)
    assert kept["report"] == "\x1b[1;31mred\x1b[0m\r\n"


def test_text_that_is_not_utf_8_is_replaced(host: Host) -> None:
    assert host.run(r"printf 'a\344b'")["report"] == "a\ufffdb"


def test_a_script_is_run_as_it_is_written(host: Host) -> None:
    script = "echo '$HOME' \"`echo b`\" \\\\ ä\ncat <<'EOF'\n  'x' $y\nEOF\n" + "#" * 300_000
    assert host.run(script)["report"] == "$HOME b \\ ä\n  'x' $y\n"


def test_a_script_has_no_input(host: Host) -> None:
    assert host.run("cat; echo end")["report"] == "end\n"


def test_lines_are_logged_while_it_runs(host: Host) -> None:
    goes_on = host.folder / "goes-on"
    running = host.start(f"echo started; until [ -e {goes_on} ]; do sleep 0.05; done; printf done")
    running.says("started")
    goes_on.touch()
    assert running.end().outputs == {"retcode": 0, "report": "started\ndone", "var": {}}
    assert running.log == ["started", "done"]


def test_an_exit_code_fails_the_connection_which_keeps_its_outputs(host: Host) -> None:
    failure = host.fails("A=1\necho fine\necho 'no such thing' >&2\nexit 3", output_vars=["A"])
    assert str(failure) == (
        f"SSH: {host.server.user}@127.0.0.1:{host.server.port}: the script ended with exit code 3:"
        " fine | no such thing"
    )
    assert failure.outputs == {
        "retcode": 3,
        "report": "fine\nno such thing\n",
        "var": {"A": "1"},
    }


def test_the_interpreter_stops_at_the_first_command_that_fails(host: Host) -> None:
    failure = host.fails("echo before\nfalse\necho after")
    assert failure.outputs is not None
    assert failure.outputs["report"] == "before\n"
    assert host.run("false\necho after", interpreter="bash")["report"] == "after\n"


def test_a_script_that_is_killed_has_the_shells_exit_code(host: Host) -> None:
    assert "exit code 137, and printed nothing" in str(host.fails("kill -9 $$"))


def test_only_the_last_words_are_in_the_message(host: Host) -> None:
    message = str(host.fails("seq 1 1000; exit 1"))
    assert message.endswith("exit code 1: 996 | 997 | 998 | 999 | 1000")


def test_variables_come_back(host: Host) -> None:
    script = """
        EARLY=1
        #OUTPUT_VAR(EARLY)
        EARLY=2
        f() { local INNER='of a function'
        # OUTPUT_VAR(INNER)
        }; f
        LINES=$(printf 'a\\nb')
        EMPTY=
    """
    outputs = host.run(script, output_vars=["LINES", "EMPTY", "UNSET", "HOME"])
    assert outputs["var"] == {
        "EARLY": "2",
        "INNER": "of a function",
        "LINES": "a\nb",
        "EMPTY": "",
        "UNSET": None,
        "HOME": str(Path(f"~{host.server.user}").expanduser()),
    }
    assert outputs["report"] == ""


@pytest.mark.parametrize("end", ["exit 0", "trap 'echo mine' EXIT", "set -u"])
@pytest.mark.parametrize("shell", ["bash -eu", "/bin/sh -e"])
def test_a_comment_records_a_variable_however_the_script_ends(
    host: Host, shell: str, end: str
) -> None:
    outputs = host.run(f"A=1\n#OUTPUT_VAR(A)\n{end}", interpreter=shell)
    assert outputs["var"] == {"A": "1"}


def test_errors_name_the_scripts_own_lines(host: Host) -> None:
    failure = host.fails("A=1\n\n#OUTPUT_VAR(A)\nno-such-program\n")
    assert "line 4: no-such-program: command not found" in str(failure)


def test_another_interpreter_runs_it(host: Host) -> None:
    outputs = host.run("import sys\nprint(sys.argv[1:], 6 * 7)", interpreter="/usr/bin/env python3")
    assert outputs["report"] == "[] 42\n"


@pytest.mark.parametrize("interpreter", ["no-such-shell -e", "/usr/bin/env -i no-such-shell"])
def test_an_interpreter_that_is_not_there_is_named(host: Host, interpreter: str) -> None:
    failure = host.fails(interpreter=interpreter)
    assert "the host has no no-such-shell; install it, or give another" in str(failure)


def test_a_folder_that_is_not_there_is_named(host: Host) -> None:
    failure = host.fails(temp_path="/no/such/folder")
    assert "cannot be written to /no/such/folder; give another temp_path" in str(failure)


def test_files_come_back(host: Host) -> None:
    path = host.folder / "a b"
    outputs = host.run(
        f"printf '\\000\\377\\n' >'{path}'; : >{host.folder}/empty",
        output_files=[str(path), f"{host.folder}/empty"],
    )
    assert [(one["name"], base64.b64decode(one["content"])) for one in outputs["files"]] == [
        (str(path), b"\x00\xff\n"),
        (f"{host.folder}/empty", b""),
    ]


def test_a_file_that_is_not_there_fails_a_script_that_succeeded(host: Host) -> None:
    failure = host.fails("echo done", output_files=["/no/such/file", "/etc/passwd"])
    assert "there is no file to be read at /no/such/file; see output_files and copy_files" in str(
        failure
    )
    assert failure.outputs is not None
    assert [one["name"] for one in failure.outputs["files"]] == ["/etc/passwd"]


def test_files_are_kept_for_scripts(host: Host) -> None:
    path = host.folder / "result"
    saved: dict[str, bytes] = {}
    outputs = host.run(
        f"printf 42 >{path}", copy_files=[str(path), "/etc/hostname"], save_file=saved.__setitem__
    )
    assert "files" not in outputs
    assert saved == {
        str(path)[1:]: b"42",
        "etc/hostname": Path("/etc/hostname").read_bytes(),
    }


def test_a_file_that_cannot_be_kept_fails_the_connection(host: Host) -> None:
    def refuse(name: str, content: bytes) -> None:
        raise ConnectionFailed(f"the file {name!r}: no room")

    failure = host.fails("echo done", copy_files=["/etc/hostname"], save_file=refuse)
    assert "has ended, but copy_files failed: the file 'etc/hostname': no room" in str(failure)
    assert failure.outputs == {"retcode": 0, "report": "done\n", "var": {}}


def test_where_there_are_no_files_copies_are_refused_before_anything_is_done(host: Host) -> None:
    with pytest.raises(InvalidInputError, match="copy_files: expected none, there are no files"):
        host.run("true", copy_files=["/etc/hostname"], port=1)


def test_files_that_are_too_large_are_refused(host: Host) -> None:
    path = host.folder / "large"
    failure = host.fails(f"head -c 10000000 /dev/zero >{path}", output_files=[str(path)])
    assert "output_vars, output_files, copy_files: no more than 6 MiB are taken" in str(failure)
    assert path.stat().st_size == 10_000_000


def test_a_script_that_prints_too_much_is_cut_in_the_middle(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh_report, "HEAD", 1000)
    monkeypatch.setattr(ssh_report, "TAIL", 1000)
    monkeypatch.setattr(ssh_report, "LOG", 2**20)
    running = host.start("echo first; head -c 30000000 /dev/zero | tr '\\0' x; echo; echo last")
    assert running.end().outputs is not None
    report = running.outputs["report"] if running.outputs else ""
    assert report.startswith("first\nxxx")
    assert "\n[… 29998012 bytes are left out here …]\n" in report
    assert report.endswith("xxx\nlast\n")
    assert any("prints more than 1 MiB: what follows is not logged" in one for one in running.log)
    assert running.log[-1] == "the report lacks 29998012 bytes: the script printed too much"


def test_what_it_leaves_in_the_background_is_not_waited_for(host: Host) -> None:
    gone = host.folder / "gone"
    outputs = host.run(
        f"(until [ -e {gone} ]; do echo noise; sleep 0.05; done) & echo started",
        output_vars=["HOME"],
    )
    assert outputs["retcode"] == 0
    assert outputs["report"].startswith("started\n") or "started\n" in outputs["report"]
    assert outputs["var"]["HOME"].startswith("/")
    gone.touch()
    until(lambda: not host.processes, "the end of what it left")


def test_nothing_is_left_on_the_host(host: Host) -> None:
    host.run("echo x", output_vars=["A"])
    host.fails("exit 1")
    host.is_left_clean()


def test_a_script_is_typed_into_the_users_shell(host: Host) -> None:
    outputs = host.run("tty\ntrue && echo in $0\nexit 0", use_shell=True)
    assert outputs["retcode"] == 0
    assert "/dev/pts/" in outputs["report"]
    assert "in -" in outputs["report"]
    assert "\r" not in outputs["report"]
    assert list(host.folder.iterdir()) == []


def test_the_shells_exit_code_counts(host: Host) -> None:
    failure = host.fails("(exit 4)", use_shell=True)
    assert "ended with exit code 4" in str(failure)
