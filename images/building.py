"""Which images are missing, and where their archives lie."""

import fcntl
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from images.content import IMAGES, Image
from images.engine import Engine
from images.errors import ImageError
from images.progress import say

# Someone may be writing while we build: an archive is kept only if its sources were the same
# before and after.
ATTEMPTS = 5
# Of each image: this checkout's, and that of another one on the same machine.
KEPT_ARCHIVES = 2


def build(engine: Engine, folder: Path, repository: Path) -> dict[str, Any]:
    """Build the images of the repository whose archives are not in the folder yet.

    Return {role: "name:tag", …, "archives": {role: path}} with the roles runner and operator.
    Raise ImageError, with the end of the build's log.
    """
    (folder / "archives").mkdir(parents=True, exist_ok=True)
    with (folder / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two builds at once would undo each other's clearing
        for _ in range(ATTEMPTS):
            names = {image: _name(image, engine, repository) for image in IMAGES}
            archives = {image: _archive(folder, name) for image, name in names.items()}
            missing = {image: names[image] for image in IMAGES if not archives[image].exists()}
            if not missing:
                return {
                    **{image.role: name for image, name in names.items()},
                    "archives": {image.role: str(path) for image, path in archives.items()},
                }
            engine.prepare(folder / "base.log")
            with ThreadPoolExecutor(max_workers=len(missing)) as pool:
                builds = [
                    pool.submit(_build, engine, image, name, folder, repository)
                    for image, name in missing.items()
                ]
            for one in builds:
                one.result()
            engine.clear(names.values(), folder / "clear.log")
    raise ImageError("the sources change faster than they can be built: run it again")


def _name(image: Image, engine: Engine, repository: Path) -> str:
    return f"{image.name}:{image.tag(engine.base, repository)}"


def _archive(folder: Path, name: str) -> Path:
    return folder / "archives" / f"{name.replace(':', '-')}.tar"


def _build(engine: Engine, image: Image, name: str, folder: Path, repository: Path) -> None:
    """Build one image and put its archive in place, unless its sources changed meanwhile."""
    log = folder / f"{image.name}.log"
    log.write_text("")
    say(f"building {name} with {type(engine).__name__.lower()}")
    began = time.monotonic()
    archive = _archive(folder, name)
    unfinished = archive.with_suffix(".part")
    unfinished.unlink(missing_ok=True)
    engine.build(image, name, unfinished, log)
    if name != _name(image, engine, repository):
        unfinished.unlink()  # it holds something else than its tag says
        return
    unfinished.rename(archive)  # an archive that stands under its name is whole
    _forget_old_archives(archive.parent, image)
    megabytes = archive.stat().st_size / 1e6
    say(f"built {name}: {megabytes:.0f} MB in {time.monotonic() - began:.1f} s")


def _forget_old_archives(folder: Path, image: Image) -> None:
    archives = sorted(folder.glob(f"{image.name}-*.tar"), key=lambda file: file.stat().st_mtime)
    for old in archives[:-KEPT_ARCHIVES]:
        old.unlink()
