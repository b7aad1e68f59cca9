"""Third-party modules of a flow, installed by uv into an environment that is kept between runs.

An environment is a folder called by what decides its contents; it appears whole or not at all, so
that runs on one volume may share it. A script finds it before the image's own modules.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from weir_runner.interrupts import interruptible

# Where a volume for environments is mounted, if there is one.
CACHE = Path("/var/cache/weir")
# Where they go without one: they last as long as the Pod.
TEMPORARY = Path("/tmp/weir-cache")

# An environment that no run has used for so long makes room for others.
UNUSED_SECONDS = 30 * 86400

_COMPLETE = ".complete"  # holds the resolution; its time is that of the last use
_LOCK_SECONDS = 600.0
_LOCK_POLL = 0.2
_MAX_ERROR = 600
_FRAME = frozenset(
    ("\u00d7", "\u2570\u2500\u25b6", "\u251c\u2500\u25b6", "\u2502")
)  # of uv's messages
_CREDENTIALS = re.compile(r"(://)[^/@\s]+@")
_INSTALLED = re.compile(r"^ \+ (\S+==\S+|\S+ @ \S+)", re.M)
# Set: no index is asked, only what UV_FIND_LINKS names.
_OFFLINE = "WEIR_PACKAGES_OFFLINE"
# What else decides what is found.
_SETTINGS = re.compile(rf"^(UV_(INDEX|DEFAULT_INDEX|EXTRA_INDEX|FIND_LINKS|PRERELEASE)|{_OFFLINE})")


class NotInstalled(Exception):
    """The requirements could not be installed.

    Parameters:
        message: Why, in a line.
        output: What uv said.
    """

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


def provide(
    requirements: Sequence[str],
    log: Callable[[str], None],
    *,
    cache: Path = CACHE,
    environment: Mapping[str, str] = os.environ,
) -> Path:
    """Install requirements, or find them installed, and let imports see them.

    Parameters:
        requirements: PEP 508.
        log: Appends a line to the run's log: what is done, and what was resolved.
        cache: The volume; without one a folder of the Pod is used.
        environment: Says to uv where modules come from, such as UV_DEFAULT_INDEX.

    Raises:
        NotInstalled: They cannot be installed; the message says why.
    """
    root = cache if os.access(cache, os.W_OK) else TEMPORARY
    folder = root / "environments" / key(requirements, environment)
    folder.parent.mkdir(parents=True, exist_ok=True)
    if not _is_complete(folder):
        with _locked(folder):
            if not _is_complete(folder):
                log(f"Installing {', '.join(requirements)}")
                _sweep(folder.parent)
                _install(requirements, folder, root / "uv", environment)
    log(f"Modules: {(folder / _COMPLETE).read_text() or 'none'}")
    os.utime(folder / _COMPLETE)
    _let_import(folder)
    return folder


def key(requirements: Sequence[str], environment: Mapping[str, str]) -> str:
    """Return the name of the environment that these requirements lead to."""
    decisive = [
        sys.version_info[:2],
        platform.machine(),
        sorted(requirements),
        sorted((name, value) for name, value in environment.items() if _SETTINGS.match(name)),
    ]
    return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()[:32]


def _is_complete(folder: Path) -> bool:
    return (folder / _COMPLETE).exists()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one run at a time install the same; a volume without locks only costs doubled work."""
    descriptor = os.open(f"{folder}.lock", os.O_CREAT | os.O_RDWR, 0o666)
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


@interruptible
def _lock(descriptor: int) -> None:
    until = time.monotonic() + _LOCK_SECONDS
    while time.monotonic() < until:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOCK_POLL)
        except OSError:
            return
        else:
            return


def _install(
    requirements: Sequence[str], folder: Path, uv_cache: Path, environment: Mapping[str, str]
) -> None:
    begun = folder.with_name(f".{folder.name}-{os.getpid()}-{os.urandom(4).hex()}")
    command = [
        *("uv", "pip", "install", "--no-progress", "--color=never"),
        *("--python", sys.executable, "--target", str(begun), "--cache-dir", str(uv_cache)),
        *(("--no-index",) if environment.get(_OFFLINE) else ()),
        *("--", *requirements),
    ]
    try:
        output = _output_of(command, {**environment, "UV_PYTHON_DOWNLOADS": "never"})
        begun.mkdir(exist_ok=True)  # nothing to install makes no folder
        resolved = ", ".join(sorted(_INSTALLED.findall(output)))
        (begun / _COMPLETE).write_text(_CREDENTIALS.sub(r"\1***@", resolved))
        with contextlib.suppress(OSError):  # another node was faster: theirs is the same
            begun.rename(folder)
    finally:
        shutil.rmtree(begun, ignore_errors=True)
    if not _is_complete(folder):
        raise NotInstalled(f"the installed modules cannot be kept in {folder.parent}")


def _output_of(command: list[str], environment: Mapping[str, str]) -> str:
    """Return what uv says. Raises NotInstalled if it fails, or is not there."""
    try:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise NotInstalled(
            f"uv cannot be run ({error.strerror}): is the image built on Weir's runner image?"
        ) from None
    try:
        output, _ = _communicated(process)
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    text = _CREDENTIALS.sub(r"\1***@", output.decode("utf-8", "replace"))
    if process.returncode:
        raise NotInstalled(f"the requirements cannot be installed: {_gist(text)}", text)
    return text


@interruptible
def _communicated(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    return process.communicate()


def _gist(output: str) -> str:
    """Return what matters of uv's complaint, in a line."""
    line = " ".join(word for word in output.split() if word not in _FRAME)
    return line if len(line) <= _MAX_ERROR else f"{line[:_MAX_ERROR]}…"


def _sweep(folder: Path) -> None:
    """Remove environments that were not used for long."""
    for marker in folder.glob(f"*/{_COMPLETE}"):
        with contextlib.suppress(OSError):
            if time.time() - marker.stat().st_mtime > UNUSED_SECONDS:
                marker.unlink()
                shutil.rmtree(marker.parent, ignore_errors=True)


def _let_import(folder: Path) -> None:
    # First of all: a flow may want another version of what the image has.
    sys.path.insert(0, str(folder))
    inherited = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(folder), inherited]))
    importlib.invalidate_caches()
