"""What a node leaves on its machine, and how all of it is removed again.

A machine may be handed on without the node's processes, or a test may have killed some of them:
nothing here assumes that anything still works. Whatever is not the node's own is not touched.
"""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from tests.cluster import processes
from tests.cluster.errors import ClusterError

_CGROUPS = Path("/sys/fs/cgroup")
_SHIM_SOCKETS = Path("/run/containerd/s")  # not configurable in containerd 1.6
_CONTAINER_LOGS = Path("/var/log/containers")  # nor these two in the kubelet
_DEVICE_PLUGINS = Path("/var/lib/kubelet/device-plugins")
_UMOUNT_AT_ONCE = 100
_KILL_ROUNDS = 20


def make_cgroups(name: str) -> None:
    """Make the control group in every hierarchy: the kubelet wants it to be there."""
    for hierarchy in _hierarchies():
        group = hierarchy / name
        group.mkdir(exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems"):  # cgroup v1 starts with none of either
            if (group / setting).exists() and not (group / setting).read_text().strip():
                (group / setting).write_text((hierarchy / setting).read_text())


def kill_containers(cgroup: str) -> None:
    """Kill every process in the control group, again until none was started in the meantime."""
    for _ in range(_KILL_ROUNDS):
        pids = set(_pids_in(cgroup))
        if not pids:
            return
        processes.kill(sorted(pids))
    raise ClusterError(f"processes in the control group {cgroup} start faster than they are killed")


def remove_cgroups(name: str) -> None:
    """Remove the control group, which must be without processes, from every hierarchy."""
    for hierarchy in _hierarchies():
        for group, _, _ in os.walk(hierarchy / name, topdown=False):
            with suppress(OSError):  # a process that ends just now: the next clean-up takes it
                os.rmdir(group)


def remove_folders(folders: Iterable[Path]) -> None:
    """Delete the folders, after everything mounted in them is unmounted."""
    folders = [folder for folder in folders if folder.exists()]
    unmount(folders)
    for folder in folders:
        shutil.rmtree(folder)


def unmount(folders: Iterable[Path]) -> None:
    """Unmount everything in the folders, and make sure of it.

    To delete a folder with a volume still mounted in it would delete the volume's content.
    """
    folders = list(folders)
    for _ in range(2):  # mounts on top of each other need a second round
        found = list(_mounts_in(folders))
        for begin in range(0, len(found), _UMOUNT_AT_ONCE):
            some = found[begin : begin + _UMOUNT_AT_ONCE]
            subprocess.run(["umount", "--lazy", *some], capture_output=True, check=False)
    if found := list(_mounts_in(folders)):
        raise ClusterError(f"cannot unmount {', '.join(found)}")


def remove_strays(data: Path) -> None:
    """Remove what containerd and the kubelet put into folders that they share with others."""
    if _SHIM_SOCKETS.is_dir():
        for path in _SHIM_SOCKETS.iterdir():
            if path.is_socket() and not is_listening(path):
                path.unlink(missing_ok=True)
    if _CONTAINER_LOGS.is_dir():
        for link in _CONTAINER_LOGS.iterdir():
            if link.is_symlink() and Path(os.readlink(link)).is_relative_to(data):
                link.unlink(missing_ok=True)
    if not is_listening(_DEVICE_PLUGINS / "kubelet.sock"):
        for name in ("kubelet.sock", "kubelet_internal_checkpoint", "DEPRECATION"):
            (_DEVICE_PLUGINS / name).unlink(missing_ok=True)
    for folder in (_SHIM_SOCKETS, _DEVICE_PLUGINS, _CONTAINER_LOGS):
        for empty in (folder, folder.parent):
            if empty != _CONTAINER_LOGS.parent:
                with suppress(OSError):  # not there, or not empty
                    empty.rmdir()


def _hierarchies() -> Iterator[Path]:
    if (_CGROUPS / "cgroup.procs").exists():  # version 2
        yield _CGROUPS
    else:
        for hierarchy in _CGROUPS.iterdir():
            if (hierarchy / "cgroup.procs").exists() and not hierarchy.is_symlink():
                yield hierarchy


def _pids_in(cgroup: str) -> Iterator[int]:
    for hierarchy in _hierarchies():
        for group, _, _ in os.walk(hierarchy / cgroup):
            with suppress(OSError):  # removed in the meantime
                for pid in Path(group, "cgroup.procs").read_text().split():
                    if pid != "0":  # of another pid namespace
                        yield int(pid)


def _mounts_in(folders: Iterable[Path]) -> Iterator[str]:
    """Every mount point in the folders, the deepest and latest first."""
    prefixes = tuple(f"{folder}/" for folder in folders)
    for line in reversed(Path("/proc/self/mountinfo").read_text().splitlines()):
        # The kernel writes blanks and the like as \\040.
        point = line.split()[4].encode().decode("unicode_escape")
        if f"{point}/".startswith(prefixes):
            yield point


def is_listening(path: Path) -> bool:
    """Tell whether somebody accepts connections at the Unix socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except OSError:  # busy, for example: somebody is there
            return True
        return True
