"""Makes repositories with the real `git`, apart from the settings of whoever runs the tests."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

AUTHOR = "Ada Lovelace"
EMAIL = "ada@example.com"
DATE = "2026-01-31T12:00:00+01:00"

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": AUTHOR,
    "GIT_AUTHOR_EMAIL": EMAIL,
    "GIT_AUTHOR_DATE": DATE,
    "GIT_COMMITTER_NAME": "Grace Hopper",
    "GIT_COMMITTER_EMAIL": "grace@example.com",
    "GIT_COMMITTER_DATE": DATE,
}


class Repository:
    """A repository with a working tree; `path` is its folder."""

    def __init__(self, path: Path, branch: str = "trunk") -> None:
        self.path = path
        path.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch", branch)

    @property
    def url(self) -> str:
        return f"file://{self.path}"

    def git(self, *arguments: str, data: bytes | None = None) -> str:
        done = subprocess.run(
            ("git", *arguments),
            cwd=self.path,
            env=ENVIRONMENT,
            input=data,
            capture_output=True,
            check=True,
        )
        return done.stdout.decode().strip()

    def write(self, name: str, content: str | bytes) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def link(self, name: str, target: str) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)

    def commit(self, message: str, files: dict[str, str | bytes] | None = None) -> str:
        """Write files, commit all that changed, and return the SHA."""
        for name, content in (files or {}).items():
            self.write(name, content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def serve(self, folder: Path, name: str) -> None:
        """Put a bare copy where a server finds it."""
        self.git("clone", "--quiet", "--bare", str(self.path), str(folder / name))
