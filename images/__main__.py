"""Build Weir's images: `python -m images`. Prints what `build/images.json` then holds."""

import fcntl
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from images import engine
from images.content import IMAGES, REPOSITORY, Image
from images.errors import ImageError
from images.progress import say

# Someone may be writing while we build: an archive is kept only if its sources were the same
# before and after.
ATTEMPTS = 5
RESULT = REPOSITORY / "build" / "images.json"


def cache_folder() -> Path:
    """Return where archives and layers are kept: outside the checkout, for fresh clones."""
    return Path(os.environ.get("WEIR_CACHE") or Path.home() / ".cache" / "weir") / "images"


def build() -> dict[str, Any]:
    """Build the images that are not there yet.

    Return {role: "name:tag", …, "archives": {role: path}} with the roles runner and operator.
    Raise ImageError, with the end of the build's log.
    """
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two builds at once would undo each other's clearing
        builder = engine.find(folder)
        for _ in range(ATTEMPTS):
            names = {image: f"{image.name}:{image.tag(builder.base)}" for image in IMAGES}
            archives = {image: _archive(folder, name) for image, name in names.items()}
            missing = [image for image in IMAGES if not archives[image].exists()]
            if not missing:
                break
            _build(builder, {image: names[image] for image in missing}, folder)
            builder.clear(names.values(), folder / "clear.log")
        else:
            raise ImageError("the sources change faster than they can be built: run it again")
    result = {
        **{image.role: name for image, name in names.items()},
        "archives": {image.role: str(archive) for image, archive in archives.items()},
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    return result


def _archive(folder: Path, name: str) -> Path:
    return folder / "archives" / f"{name.replace(':', '-')}.tar"


def _build(builder: engine.Engine, names: dict[Image, str], folder: Path) -> None:
    """Build images and put their archives in place, unless their sources changed meanwhile."""
    (folder / "archives").mkdir(exist_ok=True)
    builder.prepare(folder / "base.log")

    def build_one(image: Image) -> None:
        name = names[image]
        log = folder / f"{image.name}.log"
        log.write_text("")
        say(f"building {name} with {type(builder).__name__.lower()}")
        began = time.monotonic()
        archive = _archive(folder, name)
        unfinished = archive.with_suffix(".part")
        builder.build(image, name, unfinished, log)
        if name != f"{image.name}:{image.tag(builder.base)}":
            unfinished.unlink()  # it holds something else than its tag says
            return
        for old in archive.parent.glob(f"{image.name}-*.tar"):
            old.unlink()
        unfinished.rename(archive)  # an archive that stands under its name is whole
        megabytes = archive.stat().st_size / 1e6
        say(f"built {name}: {megabytes:.0f} MB in {time.monotonic() - began:.1f} s")

    with ThreadPoolExecutor(max_workers=len(names)) as pool:
        list(pool.map(build_one, names))


def main() -> int:
    """Build, and print the result as JSON; return the exit code."""
    try:
        print(json.dumps(build(), indent=2))
    except ImageError as error:
        print(f"images: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
