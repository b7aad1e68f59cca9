"""Processes that outlive their starter, and how they are found again.

There are no pid files: a machine may be handed on without its processes, and a pid may belong to
somebody else by then. Every process carries marks in its environment instead, which its children
inherit, and `/proc` is read each time.
"""

import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.errors import ClusterError

OWNER = "WEIR_CLUSTER_OWNER"  # the cluster's state folder
STARTER = "WEIR_CLUSTER_STARTER"  # pid:start time of a process that the cluster must not outlive
# Not the caller's environment: proxies, Go or Python settings there must not reach the cluster.
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
}
KILL_TIMEOUT = (
    10.0  # seconds for the kernel to remove a killed process; only uninterruptible I/O needs them
)
POLL = 0.02
LOG_TAIL = 15


@dataclass(frozen=True)
class Program:
    """One program of a cluster. Its name is the base name of its first argument."""

    command: tuple[str, ...]
    log: Path

    @property
    def name(self) -> str:
        """The name under which the program is started, found and stopped."""
        return Path(self.command[0]).name

    def log_tail(self) -> str:
        """Return the last lines of the log, for an error message."""
        try:
            lines = self.log.read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return "(no log)"
        return "\n".join(f"    {line[:400]}" for line in lines[-LOG_TAIL:])


@dataclass(frozen=True)
class Process:
    """A marked process that was alive when `/proc` was read."""

    pid: int
    name: str
    owner: str
    starter: str | None


def running() -> Iterator[Process]:
    """Every process of any test cluster on this machine, oldest first."""
    for pid in sorted((int(entry) for entry in os.listdir("/proc") if entry.isdigit()), key=_age):
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes()
            if f"{OWNER}=".encode() not in environment:
                continue
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:  # gone, or another user's
            continue
        marks = dict(
            entry.partition("=")[::2] for entry in environment.decode(errors="replace").split("\0")
        )
        name = Path(command.split(b"\0")[0].decode(errors="replace")).name
        if OWNER in marks and name:
            yield Process(pid, name, marks[OWNER], marks.get(STARTER))


class Processes:
    """The processes of one cluster."""

    def __init__(self, owner: Path, starter: str | None = None) -> None:
        self.owner = str(owner)
        self._marks: Mapping[str, str] = {OWNER: self.owner} | (
            {STARTER: starter} if starter else {}
        )

    def start(self, program: Program) -> int:
        """Start the program in a session of its own, its output appended to its log."""
        program.log.parent.mkdir(parents=True, exist_ok=True)
        append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        # Not subprocess, which warns about a process that nobody waits for: this one is to stay.
        try:
            return os.posix_spawn(
                program.command[0],
                program.command,
                {**ENVIRONMENT, **self._marks},
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 1, str(program.log), append, 0o644),
                    (os.POSIX_SPAWN_DUP2, 1, 2),
                ],
                setsid=True,
            )
        except OSError as error:
            raise ClusterError(f"cannot start {program.command[0]}: {error.strerror}") from error

    def all(self) -> list[Process]:
        """Every process of the cluster, children such as containerd's shims included."""
        return [process for process in running() if process.owner == self.owner]

    def find(self, name: str) -> int | None:
        """Return the pid of the named program, or None when it does not run."""
        # The oldest: a child that is about to run something else still has its parent's name.
        return next((process.pid for process in self.all() if process.name == name), None)

    def stop(self, name: str, grace: float) -> None:
        """Ask the program to end, and kill it when it has not after `grace` seconds."""
        if (pid := self.find(name)) is None:
            return
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        if not _gone(pid, grace):
            self.kill(name)

    def kill(self, name: str) -> None:
        """Kill the program, with no chance to tidy up, and wait until it is gone."""
        if (pid := self.find(name)) is not None:
            kill([pid])

    def kill_all(self) -> None:
        """Kill every process of the cluster, again until none was started in the meantime."""
        while pids := [process.pid for process in self.all()]:
            kill(pids)


def kill(pids: list[int]) -> None:
    """Kill the processes and wait until they are gone."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for pid in pids:
        if not _gone(pid, KILL_TIMEOUT):
            raise ClusterError(f"process {pid} was killed but does not go; see /proc/{pid}/stack")


def identity(pid: int) -> str:
    """Name a process for good: a pid may be used again, a pid with its start time may not."""
    return f"{pid}:{_age(pid)}"


def is_alive(identified: str) -> bool:
    """Tell whether the process with this identity still runs."""
    pid = int(identified.partition(":")[0])
    return identity(pid) == identified and not _is_zombie(pid)


def _gone(pid: int, timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while not (_is_reaped(pid) or _is_zombie(pid)):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL)
    return True


def _is_reaped(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:  # not our child; its parent, or init, reaps it
        return False


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the name, which may itself contain blanks."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _age(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[19]) if fields else 0


def _is_zombie(pid: int) -> bool:
    fields = _stat(pid)
    # While other threads of a dead process still end, its ports and files are still open.
    return not fields or (fields[0] in "ZX" and int(fields[17]) <= 1)
