"""How long to wait before something is tried again. Waits and clocks are the caller's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Backoff:
    """Waits that grow. All but `multiplier` are seconds.

    Attributes:
        initial: The first wait.
        maximum: No wait is longer, unless the other side asks for it.
        multiplier: Each wait is as many times the one before.
        deadline: No try begins later than this after the first one did.
    """

    initial: float = 1
    maximum: float = 60
    multiplier: float = 2
    deadline: float = 600

    def wait(self, tries: int, elapsed: float, asked_for: float | None = None) -> float | None:
        """Return how long to wait after so many tries, or None: give up.

        Parameters:
            tries: How often it was tried.
            elapsed: Seconds since the first try began.
            asked_for: Seconds that the other side wants to be left alone.
        """
        # The exponent is bounded, since floats are.
        grown = min(self.initial * self.multiplier ** min(tries - 1, 100), self.maximum)
        wait = max(grown, asked_for or 0)
        return wait if elapsed + wait <= self.deadline else None


EXPECTED = (
    "an object of initial, maximum, deadline (seconds, not negative) and multiplier (1 to 100),"
    " or null to try once"
)


def of(given: Mapping[str, Any] | None) -> Backoff | None:
    """Return the backoff that an input describes; None: try once.

    Raises:
        ValueError: it describes none; the text says what was expected.
    """
    if given is None:
        return None
    known = {one.name for one in fields(Backoff)}
    if not given.keys() <= known or not all(_is_amount(value) for value in given.values()):
        raise ValueError(EXPECTED)
    backoff = Backoff(**given)
    if not 1 <= backoff.multiplier <= 100:
        raise ValueError(EXPECTED)
    return backoff


def _is_amount(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and value >= 0
