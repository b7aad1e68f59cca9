"""Ranges of versions, as npm and Flux write them, and the tags that are in them. Pure.

>=1.2 <2      both, so is >=1.2, <2        1.4.x  1.4.*  1.4      1.4.0 and up, below 1.5.0
^1.2          below the next major         ~1.2                   below the next minor
1.2 - 1.4     both ends included           *                      any
<1 || >=2     one of both                  !=1.3.0                any but this
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import total_ordering

FORMS = "a range of versions, such as >=1.2 <2, 1.4.x, ^1.2 or ~1.2"

_NUMBER = "0|[1-9][0-9]{0,17}"
_VERSION = re.compile(
    rf"v?(?P<major>{_NUMBER})(?:\.(?P<minor>{_NUMBER})(?:\.(?P<patch>{_NUMBER})"
    r"(?:-(?P<pre>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?)?)?(?:\+[0-9A-Za-z.-]+)?"
)
_PART = rf"{_NUMBER}|[xX*]"
_TERM = re.compile(
    rf"(?P<sign>>=|<=|!=|==|>|<|=|\^|~>|~)?\s*v?(?P<major>{_PART})(?:\.(?P<minor>{_PART})"
    rf"(?:\.(?P<patch>{_PART})(?:-(?P<pre>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?)?)?"
    r"(?:\+[0-9A-Za-z.-]+)?"
)
_HYPHEN = re.compile(r"(\S+)\s+-\s+(\S+)")


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """A version: major, minor, patch, and what stands after a hyphen."""

    numbers: tuple[int, int, int]
    pre: tuple[str, ...] = ()

    def __lt__(self, other: Version) -> bool:
        return self._key < other._key

    @property
    def _key(self) -> tuple[tuple[int, int, int], bool, tuple[tuple[bool, int, str], ...]]:
        """Return what orders versions: numbers before words, a pre-release before its release."""
        parts = tuple(
            (False, int(part), "") if part.isdigit() else (True, 0, part) for part in self.pre
        )
        return self.numbers, not self.pre, parts


def version_of(tag: str) -> Version | None:
    """Return the version that a tag names: `1.2.3`, `v1.2.3-rc.1`, `v1.2`. None: it is none."""
    found = _VERSION.fullmatch(tag)
    if found is None:
        return None
    major, minor, patch = (int(found[part] or 0) for part in ("major", "minor", "patch"))
    return Version((major, minor, patch), tuple(found["pre"].split(".")) if found["pre"] else ())


@dataclass(frozen=True, slots=True)
class _Span:
    """From `low` up to `high`, which is not in it. None: without end."""

    low: Version
    high: Version | None
    negated: bool = False  # all but these
    pre: tuple[int, int, int] | None = None  # pre-releases of this version may be in it

    def __contains__(self, version: Version) -> bool:
        inside = self.low <= version and (self.high is None or version < self.high)
        return inside != self.negated


@dataclass(frozen=True, slots=True)
class Range:
    """Which versions to take: those that are in every span of one of the alternatives."""

    alternatives: tuple[tuple[_Span, ...], ...]

    def __contains__(self, version: Version) -> bool:
        return any(
            all(version in span for span in spans)
            and (not version.pre or any(span.pre == version.numbers for span in spans))
            for spans in self.alternatives
        )

    def highest(self, tags: Iterable[str]) -> str | None:
        """Return the tag of the highest version in the range; None: there is none.

        A pre-release counts only where the range names one of the same version. Of tags that name
        the same version, the longest is taken.
        """
        known = [(version, tag) for tag in tags if (version := version_of(tag)) is not None]
        fitting = [(version, len(tag), tag) for version, tag in known if version in self]
        return max(fitting)[2] if fitting else None


def parse_range(text: str) -> Range:
    """Read a range.

    Raises:
        ValueError: it is none; the text is FORMS.
    """
    return Range(tuple(_spans(part.strip()) for part in text.split("||")))


def _spans(text: str) -> tuple[_Span, ...]:
    hyphen = _HYPHEN.fullmatch(text)
    if hyphen is not None:
        text = f">={hyphen[1]} <={hyphen[2]}"
    spans: list[_Span] = []
    position = 0
    while position < len(text):
        found = _TERM.match(text, position)
        if found is None:
            raise ValueError(FORMS)
        spans.append(_span(found))
        position = found.end()
        gap = re.compile(r"\s*,\s*|\s+|$").match(text, position)
        if gap is None:
            raise ValueError(FORMS)
        position = gap.end()
    if not spans:
        raise ValueError(FORMS)
    return tuple(spans)


def _span(term: re.Match[str]) -> _Span:
    """Return what one comparison allows. Parts that are left out, or an x, stand for any."""
    given: list[int] = []
    for name in ("major", "minor", "patch"):
        if term[name] is None or term[name] in "xX*":
            break
        given.append(int(term[name]))
    pre = tuple(term["pre"].split(".")) if term["pre"] and len(given) == 3 else ()
    padded = (*given, 0, 0, 0)
    numbers = (padded[0], padded[1], padded[2])
    base = Version(numbers, pre)
    named = numbers if pre else None
    after = _after(given, pre)
    match term["sign"]:
        case ">=":
            return _Span(base, None, pre=named)
        case "<":
            # Below 2 are no pre-releases of 2 either; those of 2.0.0 are below 2.0.0.
            return _Span(_LOWEST, base if len(given) == 3 else Version(numbers, ("0",)), pre=named)
        case ">":
            # After an x nothing is left above.
            return _Span(after, None, pre=named) if after is not None else _NOTHING
        case "<=":
            return _Span(_LOWEST, after, pre=named)
        case "!=":
            return _Span(base, after, negated=True)
        case "^":
            first = next((at for at, number in enumerate(given) if number), len(given) - 1)
            return _Span(base, _bumped(given[: first + 1]), pre=named)
        case "~" | "~>":
            return _Span(base, _bumped(given[:2]), pre=named)
        case _:
            return _Span(base, after, pre=named)


def _after(given: list[int], pre: tuple[str, ...]) -> Version | None:
    """Return the first version after all that the given parts stand for; None: there is none."""
    if pre:
        return Version((given[0], given[1], given[2]), (*pre, "0"))
    return _bumped(given)


def _bumped(given: list[int]) -> Version | None:
    if not given:
        return None
    padded = (*given[:-1], given[-1] + 1, 0, 0)
    return Version((padded[0], padded[1], padded[2]), ("0",))


_LOWEST = Version((0, 0, 0), ("0",))
_NOTHING = _Span(_LOWEST, _LOWEST)
