"""Debian packages that building needs."""

import os
import shutil
import subprocess

from images.errors import ImageError
from images.progress import say


def install(*programs: str) -> None:
    """Install the programs that are missing; each comes in a package of its own name."""
    missing = [name for name in programs if shutil.which(name) is None]
    if not missing:
        return
    wanted = " ".join(missing)
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise ImageError(f"missing here: {wanted}. Install it, or start a Docker engine")
    say(f"installing {wanted}")
    install_now = ["apt-get", "install", "-qq", "--no-install-recommends", *missing]
    # The machine's package lists may be old, or were never fetched.
    if not _succeeds(install_now):
        _succeeds(["apt-get", "update", "-q"])
        if not _succeeds(install_now):
            raise ImageError(f"`{' '.join(install_now)}` failed: run it to see why")


def _succeeds(command: list[str]) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return (
        subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0
    )
