"""An image's tag is a digest of all that goes into it: an unchanged tree needs no build."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent

# What every image is made of, beside its own folders. The member files decide the dependencies.
_SHARED = (
    ".dockerignore",
    "pyproject.toml",
    "uv.lock",
    "operator/pyproject.toml",
    "runner-image/pyproject.toml",
    "connectors/pyproject.toml",
)


@dataclass(frozen=True)
class Image:
    """One image: its name, its Containerfile, and the folders that it is made of."""

    role: str
    name: str
    containerfile: str
    folders: tuple[str, ...]

    def tag(self, base: str, repository: Path = REPOSITORY) -> str:
        """Return 12 hex digits that stand for the image's content on the given base."""
        paths = {repository / name for name in (*_SHARED, self.containerfile)}
        for folder in self.folders:
            paths.update(_files(repository / folder))
        return _digest(base, repository, paths)

    def runtime_tag(self, base: str, repository: Path = REPOSITORY) -> str:
        """Return 12 hex digits that stand for all but our own sources: the stage `runtime`."""
        names = (*_SHARED, self.containerfile)
        return _digest(base, repository, {repository / name for name in names})


IMAGES = (
    Image(
        role="runner",
        name="weir-runner",
        containerfile="runner-image/Containerfile",
        folders=("runner-image", "connectors"),
    ),
    Image(
        role="operator",
        name="weir-operator",
        containerfile="operator/Containerfile",
        folders=("operator", "runner-image", "connectors"),
    ),
)


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files that .dockerignore lets through."""
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in files:
            if name != "Containerfile" and not name.endswith(".pyc"):
                yield Path(parent, name)


def _digest(base: str, repository: Path, paths: set[Path]) -> str:
    digest = hashlib.sha256(base.encode())
    for path in sorted(paths):
        content = path.read_bytes()
        digest.update(f"\0{path.relative_to(repository)}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:12]
