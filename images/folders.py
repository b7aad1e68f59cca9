"""Folders with file systems in them, which a killed run may have left mounted."""

import shutil
import subprocess
from pathlib import Path


def remove(folder: Path) -> None:
    """Unmount all that is mounted in the folder, and remove it. It need not exist."""
    for mounted in _mounts_in(folder.resolve()):
        # Lazily: nothing of ours uses it any more.
        subprocess.run(["umount", "--lazy", str(mounted)], capture_output=True, check=False)
    if _mounts_in(folder.resolve()):
        return  # rather leave it than delete what is mounted there
    shutil.rmtree(folder, ignore_errors=True)


def _mounts_in(folder: Path) -> list[Path]:
    """Return mount points, the innermost first."""
    try:
        lines = Path("/proc/self/mounts").read_text().splitlines()
    except OSError:
        return []  # not Linux: buildah does not run here
    points = [Path(line.split(" ")[1].replace("\\040", " ")) for line in lines]
    return sorted((one for one in points if one.is_relative_to(folder)), reverse=True)
