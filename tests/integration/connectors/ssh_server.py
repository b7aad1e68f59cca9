"""A real OpenSSH server with settings of its own, on a free port.

As root it makes a user of its own who may log in by key and by password, and removes it at the
end; as another user it serves that user, by key only.
"""

from __future__ import annotations

import getpass
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import pytest

from tests.ports import free_port

PASSWORD = "tr0ub4dor & 3"
SSHD = "/usr/sbin/sshd"


class SshServer:
    """Serves the machine's files to one user, at one of its addresses. A context manager."""

    def __init__(self, folder: Path, address: str = "127.0.0.1") -> None:
        self.folder = folder
        self.address = address
        self.has_password = os.geteuid() == 0
        self.user = f"weir-{secrets.token_hex(4)}" if self.has_password else getpass.getuser()
        self.key = self._make_key("client")
        self.other_key = self._make_key("stranger")
        self.locked_key = self._make_key("locked", passphrase="open sesame")
        self._make_key("host")
        self.port = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def host_line(self) -> str:
        """The line of known_hosts."""
        return f"[{self.address}]:{self.port} {self.host_key}"

    @property
    def host_key(self) -> str:
        """Type and key, without a host."""
        return " ".join((self.folder / "host.pub").read_text().split()[:2])

    def url(self, path: Path, user: str | None = None) -> str:
        return f"ssh://{f'{user}@' if user else ''}{self.address}:{self.port}{path}"

    def __enter__(self) -> SshServer:
        if self.has_password:
            self._add_user()
        self.port = free_port(self.address)
        self._start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.communicate()
        if self.has_password:
            subprocess.run(("userdel", "--force", self.user), check=False, capture_output=True)

    def _make_key(self, name: str, passphrase: str = "") -> str:
        path = self.folder / name
        kind = ("-q", "-t", "ed25519", "-C", name)
        subprocess.run(("ssh-keygen", *kind, "-N", passphrase, "-f", path), check=True)
        return path.read_text()

    def _add_user(self) -> None:
        hashed = subprocess.run(
            ("openssl", "passwd", "-6", "-stdin"),
            input=PASSWORD,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        subprocess.run(
            ("useradd", "--system", "--shell", "/bin/sh", "--password", hashed, self.user),
            check=True,
        )

    def _start(self) -> None:
        shutil.copy(self.folder / "client.pub", self.folder / "authorized_keys")
        (self.folder / "authorized_keys").chmod(0o644)
        self.folder.chmod(0o755)
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # where sshd gives up its privileges
        (self.folder / "sshd_config").write_text(
            f"""
            ListenAddress {self.address}:{self.port}
            HostKey {self.folder}/host
            PidFile none
            AuthorizedKeysFile {self.folder}/authorized_keys
            AllowUsers {self.user}
            PasswordAuthentication {"yes" if self.has_password else "no"}
            KbdInteractiveAuthentication no
            StrictModes no
            UsePAM no
            SetEnv GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=*
            """
        )
        self._process = subprocess.Popen(
            (SSHD, "-D", "-e", "-f", str(self.folder / "sshd_config")),
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if "Server listening" in line:
                return
        raise RuntimeError(f"sshd ended with {self._process.wait()}")


@contextmanager
def started(address: str = "127.0.0.1") -> Iterator[SshServer]:
    """Start a server in a folder of its own; install OpenSSH where it is missing and can be."""
    if not Path(SSHD).exists():
        _install("openssh-server", "openssh-client")
    folder = Path(tempfile.mkdtemp(prefix="weir-sshd-"))
    try:
        with SshServer(folder, address) as server:
            yield server
    finally:
        shutil.rmtree(folder)


def _install(*packages: str) -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        pytest.skip(f"needs {' and '.join(packages)}: install them, or run as root on Debian")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    install = ("apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages)
    if subprocess.run(install, env=environment, capture_output=True, check=False).returncode != 0:
        subprocess.run(("apt-get", "update"), env=environment, capture_output=True, check=True)
        subprocess.run(install, env=environment, capture_output=True, check=True)
