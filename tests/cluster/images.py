"""Container images without a registry and without a builder: files in a docker-archive."""

import hashlib
import io
import json
import os
import platform
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def write_archive(
    archive: Path, name: str, files: Mapping[str, Path], entrypoint: Sequence[str]
) -> None:
    """Write an image of executable files, given by their paths in it, of one layer."""
    layer = _tar({inside: outside.read_bytes() for inside, outside in files.items()}, mode=0o755)
    machine = platform.machine()
    config = {
        "architecture": _ARCHITECTURES.get(machine, machine),
        "os": "linux",
        "config": {"Entrypoint": list(entrypoint)},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    parts = {"manifest.json": manifest, "config.json": config}
    content = _tar(
        {**{part: json.dumps(parts[part]).encode() for part in parts}, "layer.tar": layer}
    )
    archive.parent.mkdir(parents=True, exist_ok=True)
    unfinished = archive.with_name(f".{archive.name}.{os.getpid()}")
    unfinished.write_bytes(content)
    unfinished.rename(archive)


def _tar(files: Mapping[str, bytes], mode: int = 0o644) -> bytes:
    """Return a tar file, equal for equal files: an image's name is its content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(files[name]), mode
            tar.addfile(entry, io.BytesIO(files[name]))
    return buffer.getvalue()
