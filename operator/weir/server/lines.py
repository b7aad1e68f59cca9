"""Who waits for a lock at this server, so that the one who came first gets it first."""

from __future__ import annotations

from dataclasses import dataclass

# A runner whose long poll was answered comes back at once; one that does not loses its place.
GRACE = 2.0


@dataclass(slots=True)
class _Place:
    since: float  # Unix time of the operation's first arrival
    present: int = 0  # long polls
    left_at: float = 0.0


class Lines:
    """The waiting lines of all locks, by topic. Times are Unix seconds."""

    def __init__(self) -> None:
        self._lines: dict[str, dict[str, _Place]] = {}

    def join(self, topic: str, uid: str, since: float) -> None:
        """Stand in line, or come back to one's place."""
        place = self._lines.setdefault(topic, {}).setdefault(uid, _Place(since))
        place.present += 1

    def pause(self, topic: str, uid: str, now: float) -> None:
        """Leave the line to come back soon: the place is kept for a moment."""
        place = self._lines[topic][uid]
        place.present -= 1
        place.left_at = now

    def leave(self, topic: str, uid: str) -> None:
        """Leave the line for good, but for other long polls of the same run."""
        line = self._lines[topic]
        line[uid].present -= 1
        if not line[uid].present:
            del line[uid]
        if not line:
            del self._lines[topic]

    def ahead(self, topic: str, uid: str, now: float) -> float | None:
        """Return how many seconds to let others go first at most; None: nobody is ahead."""
        line = self._lines[topic]
        mine = (line[uid].since, uid)
        longest: float | None = None
        for other, place in list(line.items()):
            if not place.present and now - place.left_at >= GRACE:
                del line[other]
            elif (place.since, other) < mine:
                if place.present:
                    return GRACE  # most often the first that is looked at
                longest = max(longest or 0.0, place.left_at + GRACE - now)
        return longest
