"""A PostgreSQL server for tests: Debian's, with its own data folder and port, gone afterwards."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.ports import free_port

_OWNER = "postgres"


class PostgresMissing(Exception):
    """PostgreSQL is not installed and could not be."""


def binaries() -> Path:
    """Return the folder of PostgreSQL's programs; install Debian's package if there is none."""
    found = _installed()
    if found is None:
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            raise PostgresMissing("install postgresql: these tests run a server of their own")
        # Without a cluster of Debian's own, which would listen at the usual port.
        folder = Path("/etc/postgresql-common")
        folder.mkdir(exist_ok=True)
        if not (folder / "createcluster.conf").exists():
            (folder / "createcluster.conf").write_text("create_main_cluster = false\n")
        for command in (["update", "-qq"], ["install", "-y", "-qq", "postgresql"]):
            subprocess.run(["apt-get", *command], check=True, stdout=subprocess.DEVNULL)
        found = _installed()
    if found is None:
        raise PostgresMissing("the package postgresql has no initdb")
    return found


def _installed() -> Path | None:
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


@contextlib.contextmanager
def running() -> Iterator[str]:
    """Run a server, and yield its URL without the database's name."""
    programs = binaries()
    folder = Path(tempfile.mkdtemp(prefix="weir-postgres-"))
    data = folder / "data"
    port = free_port()
    user = pwd.getpwnam(_OWNER) if os.geteuid() == 0 else None
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [programs / program, *arguments],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
        )

    options = f"-p {port} -h 127.0.0.1 -k {folder} -c fsync=off -c max_connections=200"
    control = ("-D", str(data), "-l", str(folder / "log"), "-w", "-t", "60")
    try:
        run("initdb", "-D", str(data), "-U", _OWNER, "-A", "trust", "-E", "UTF8", "--no-sync")
        run("pg_ctl", *control, "-o", options, "start")
        try:
            yield f"postgresql+psycopg://{_OWNER}@127.0.0.1:{port}"
        finally:
            run("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
