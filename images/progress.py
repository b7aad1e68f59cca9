"""Lines that tell a person what is going on."""

import sys


def say(text: str) -> None:
    """Print a line to stderr at once; stdout is for results."""
    print(f"images: {text}", file=sys.stderr, flush=True)
