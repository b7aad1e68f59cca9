"""How many requests are taken: a bucket of permits that fills up as time passes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

# Who asks may make up keys; the oldest is forgotten, and its bucket is full again.
_MOST = 10_000


class Rates:
    """A bucket for each key. Time is in seconds, from whatever clock."""

    def __init__(self, *, most: int = _MOST) -> None:
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()
        self._most = most

    def wait(self, key: Hashable, now: float, *, per_minute: float, burst: int) -> float:
        """Take a permit and return 0, or return in how many seconds there will be one."""
        left, then = self._buckets.get(key, (float(burst), now))
        left = min(float(burst), left + max(now - then, 0.0) * per_minute / 60)
        taken = left >= 1
        self._buckets[key] = (left - 1 if taken else left, now)
        self._buckets.move_to_end(key)
        while len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return 0.0 if taken else (1 - left) * 60 / per_minute
