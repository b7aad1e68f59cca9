"""What is sent to a host does the same in every shell, and where there is no setsid."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.connectors.ssh_scripts import until
from weir_connectors import ssh_answer, ssh_report, ssh_script
from weir_connectors.ssh_inputs import SshInputs

SHELLS = {
    "dash": ("dash",),
    "bash": ("bash", "--posix"),
    "busybox": ("busybox", "sh"),
}
NEEDED = ("cat", "env", "head", "mkdir", "rm", "sleep", "bash", "seq")


@dataclass
class Local:
    """A host that is this machine: a shell of it, its folder, and its programs."""

    shell: tuple[str, ...]
    folder: Path
    path: str

    def start(self, script: str, **inputs: object) -> Script:
        token = secrets.token_hex(16)
        given = SshInputs(
            **{  # type: ignore[arg-type]
                "hostname": "h",
                "username": "u",
                "script": script,
                "temp_path": str(self.folder),
                **inputs,
            }
        )
        process = subprocess.Popen(
            self.shell,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": self.path, "WEIR_TEST": str(self.folder)},
            start_new_session=True,  # as SSH servers do
        )
        assert process.stdin is not None
        process.stdin.write(ssh_script.program(given, token).encode())
        process.stdin.flush()
        return Script(process, token)

    @property
    def processes(self) -> list[str]:
        mark = f"WEIR_TEST={self.folder}\x00".encode()
        found = []
        for one in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (one / "environ").read_bytes():
                    found.append((one / "cmdline").read_text())
            except OSError:
                continue
        return found


@dataclass
class Script:
    process: subprocess.Popen[bytes]
    token: str

    def end(self, stop: bool = False) -> tuple[str, ssh_answer.Answer]:
        """Wait for its end, or stop it; return the report, and what was said."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        if stop:
            self.process.stdin.close()
        mark = ssh_script.mark(self.token)
        report, listener = ssh_report.Report(mark, lambda line: None), ssh_answer.Listener(mark)
        report.feed(self.process.stdout.read())
        listener.feed(self.process.stderr.read())
        with self.process:
            pass
        return report.text, listener.answer()


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> tuple[str, ...]:
    words = SHELLS[request.param]
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed here")
    return words


@pytest.fixture(params=["with setsid", "without setsid"])
def local(request: pytest.FixtureRequest, shell: tuple[str, ...], tmp_path: Path) -> Local:
    path = os.environ["PATH"]
    if request.param == "without setsid":
        programs = tmp_path / "programs"
        programs.mkdir()
        for name in (*NEEDED, shell[0]):
            found = shutil.which(name)
            assert found is not None
            if not (programs / name).exists():
                (programs / name).symlink_to(found)
        path = str(programs)
    folder = tmp_path / "folder"
    folder.mkdir()
    return Local(shell, folder, path)


def test_it_runs_to_its_end(local: Local) -> None:
    script = local.start(
        "A='it is'\n#OUTPUT_VAR(A)\nseq 3 >&2\nB=2",
        output_vars=["B", "C"],
        output_files=["/etc/hostname", "/no/such"],
    )
    report, answer = script.end()
    assert report == "1\n2\n3\n"
    assert answer == ssh_answer.Answer(
        begun=True,
        code=0,
        variables={"A": "it is", "B": "2"},
        files={0: Path("/etc/hostname").read_bytes()},
        lost=[1],
    )
    until(lambda: not local.processes, "the end of all processes")
    assert list(local.folder.iterdir()) == []


def test_it_is_stopped(local: Local) -> None:
    up = local.folder / "up"
    script = local.start(
        f"(trap '' TERM; while :; do sleep 7777; done) & trap 'exit 9' TERM; : >{up};"
        " sleep 8888 & wait"
    )
    until(up.exists, "the script")
    report, answer = script.end(stop=True)
    assert (report, answer.begun) == ("", True)
    until(lambda: not local.processes, "the end of all processes")
    up.unlink()
    assert list(local.folder.iterdir()) == []


def test_it_stops_by_itself_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local = Local(("sh",), tmp_path, os.environ["PATH"])
    monkeypatch.setattr(ssh_script, "LENIENCY", 0.0)
    script = local.start("sleep 7777", script_timeout=0.1)
    _, answer = script.end()
    assert answer.begun
    until(lambda: not local.processes, "the end of all processes")
    assert list(local.folder.iterdir()) == []
