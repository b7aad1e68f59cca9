"""What the bare node takes from Debian: the container runtime and the tools of the network."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.cluster.errors import ClusterError

PACKAGES = (
    "containerd",
    "runc",
    "containernetworking-plugins",
    "iptables",
    "conntrack",
    "ethtool",
    "socat",
    "iproute2",
    "debootstrap",  # this and buildah make images where no registry is reached
    "buildah",
)
# Debian starts a containerd of its own after installation, where it has an init system. We neither
# use nor stop one that runs already, and start none: policy-rc.d is how Debian is told.
_POLICY = Path("/usr/sbin/policy-rc.d")


def install() -> None:
    """Install the packages that are missing."""
    missing = _missing()
    if not missing:
        return
    if os.geteuid() != 0:
        raise ClusterError(f"these packages are missing, and only root can install: {missing}")
    print(f"cluster: installing {' '.join(missing)} ...", file=sys.stderr, flush=True)
    forbidden = not _POLICY.exists()
    if forbidden:
        _POLICY.write_text("#!/bin/sh\nexit 101\n")
        _POLICY.chmod(0o755)
    try:
        if not _apt_get("install", "--yes", "--no-install-recommends", *missing):
            # The machine's package lists are old, or were never fetched.
            _apt_get("update", check=True)
            _apt_get("install", "--yes", "--no-install-recommends", *missing, check=True)
    finally:
        if forbidden:
            _POLICY.unlink()


def _missing() -> list[str]:
    if shutil.which("dpkg-query") is None or shutil.which("apt-get") is None:
        raise ClusterError(
            "the bare cluster needs Debian (dpkg-query and apt-get are missing here);"
            " use `--provider kind` or `--provider current`"
        )
    shown = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", *PACKAGES],
        capture_output=True,
        text=True,
        check=False,  # it fails when one is unknown, and still shows the others
    ).stdout.splitlines()
    return [name for name in PACKAGES if f"{name} installed" not in shown]


def _apt_get(*arguments: str, check: bool = False) -> bool:
    done = subprocess.run(
        ["apt-get", "-q", *arguments],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        capture_output=True,
        text=True,
        check=False,
    )
    if check and done.returncode:
        raise ClusterError(f"`apt-get {arguments[0]}` failed:\n{done.stderr.strip()[-2000:]}")
    return done.returncode == 0
