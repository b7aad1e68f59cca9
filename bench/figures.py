"""What was measured, against what it should be, as a table and as JSON."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Sample:
    """Values of one thing that was measured again and again."""

    name: str
    unit: str  # "s", "ms", "per s", "MB", "writes"
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle value."""
        return statistics.median(self.values)

    def row(self) -> tuple[str, ...]:
        """Return the cells of the table: name, n, median, least, most, unit."""
        digits = 3 if self.unit == "s" else 2 if self.unit == "per s" else 1
        numbers = (self.median, min(self.values), max(self.values))
        shown = (f"{number:.{digits}f}" for number in numbers)
        return (self.name, str(len(self.values)), *shown, self.unit)


@dataclass(frozen=True)
class Verdict:
    """One figure that has a target."""

    name: str
    measured: float
    bound: Literal["at most", "at least"]
    target: float
    unit: str = ""

    @property
    def holds(self) -> bool:
        """Whether the target is met."""
        if self.bound == "at most":
            return self.measured <= self.target
        return self.measured >= self.target

    def row(self) -> tuple[str, ...]:
        """Return the cells of the table: name, measured, target, verdict."""
        unit = f" {self.unit}" if self.unit else ""
        return (
            self.name,
            f"{self.measured:.3g}{unit}",
            f"{self.bound} {self.target:g}{unit}",
            "ok" if self.holds else "NOT MET",
        )


@dataclass(frozen=True)
class Report:
    """All that one benchmark found."""

    samples: tuple[Sample, ...]
    verdicts: tuple[Verdict, ...]

    def as_json(self) -> dict[str, Any]:
        """Return samples and verdicts as plain data."""
        return {
            "samples": [
                {
                    "name": one.name,
                    "unit": one.unit,
                    "n": len(one.values),
                    "median": one.median,
                    "values": list(one.values),
                }
                for one in self.samples
            ],
            "verdicts": [
                {
                    "name": one.name,
                    "measured": one.measured,
                    "bound": one.bound,
                    "target": one.target,
                    "unit": one.unit,
                    "holds": one.holds,
                }
                for one in self.verdicts
            ],
        }


def ratio(one: Sample, other: Sample) -> float:
    """Return the ratio of two medians."""
    return one.median / other.median


def joined(reports: Sequence[Report]) -> Report:
    """Return several reports as one."""
    return Report(
        tuple(sample for report in reports for sample in report.samples),
        tuple(verdict for report in reports for verdict in report.verdicts),
    )


def tables(report: Report) -> str:
    """Return the report for people."""
    samples = [
        ("measured", "n", "median", "least", "most", ""),
        *(sample.row() for sample in report.samples),
    ]
    verdicts = [
        ("figure", "measured", "target", ""),
        *(verdict.row() for verdict in report.verdicts),
    ]
    return f"{_table(samples)}\n\n{_table(verdicts)}"


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
