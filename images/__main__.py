"""Build Weir's images: `python -m images`. Prints what `build/images.json` then holds."""

import json
import os
import sys
from pathlib import Path

from images import building, engine
from images.content import REPOSITORY
from images.errors import ImageError

RESULT = REPOSITORY / "build" / "images.json"


def cache_folder() -> Path:
    """Return where archives and layers are kept: outside the checkout, for fresh clones."""
    return Path(os.environ.get("WEIR_CACHE") or Path.home() / ".cache" / "weir") / "images"


def main() -> int:
    """Build, print and keep the result; return the exit code."""
    folder = cache_folder()
    try:
        built = building.build(engine.find(folder), folder, REPOSITORY)
    except ImageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    text = json.dumps(built, indent=2)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(text + "\n")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
