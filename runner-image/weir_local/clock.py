"""The time of local runs: that of the wall, or one that jumps where everybody only waits."""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """Unix time.

    Parameters:
        skips: Whether time that all executions would only pass is passed over at once.
        wall: Unix time of the wall.
    """

    def __init__(self, *, skips: bool = False, wall: Callable[[], float] = time.time) -> None:
        self.skips = skips
        self._wall = wall
        self._ahead = 0.0

    def now(self) -> float:
        """Return the Unix time that scripts see."""
        return self._wall() + self._ahead

    def jump_to(self, moment: float) -> None:
        """Let it be that moment, unless it is later already."""
        self._ahead = max(self._ahead, moment - self._wall())
