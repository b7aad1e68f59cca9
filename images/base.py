"""A Debian base with Python, git and ssh: for machines that reach no image registry."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from images import folders
from images.errors import ImageError

SUITE = "bookworm"
MIRROR = "http://deb.debian.org/debian"
PACKAGES = ("python3", "ca-certificates", "git", "openssh-client")
# Nobody reads manuals in a container, and apt fetches its lists anew.
TRIMMED = (
    "debootstrap",
    "usr/share/doc",
    "usr/share/man",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/lintian",
    "usr/share/bash-completion",
    "usr/share/gitweb",
    "var/cache/apt",
    "var/lib/apt/lists",
    "var/log",
)


def identity() -> str:
    """Return what decides the base's content, as 12 hex digits."""
    recipe = "\n".join((SUITE, *PACKAGES, "--", *TRIMMED))
    return hashlib.sha256(recipe.encode()).hexdigest()[:12]


def make_root(root: Path, log: Path) -> None:
    """Fill the folder `root` with the base's file system. Takes about a minute."""
    if os.geteuid() != 0:
        raise ImageError(
            "only root can make the base image (debootstrap); or start a Docker engine"
        )
    folders.remove(root)
    root.parent.mkdir(parents=True, exist_ok=True)
    mirror = os.environ.get("WEIR_DEBIAN_MIRROR") or MIRROR
    command = ["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE]
    with log.open("w") as output:
        done = subprocess.run(
            [*command, str(root), mirror], stdout=output, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode:
        raise ImageError(f"debootstrap failed; the end of {log}:\n{_tail(log)}")
    for name in TRIMMED:
        shutil.rmtree(root / name, ignore_errors=True)
    for name in ("var/cache/apt/archives/partial", "var/lib/apt/lists/partial", "var/log/apt"):
        (root / name).mkdir(parents=True)


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:].strip()
