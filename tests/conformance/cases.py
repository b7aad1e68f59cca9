"""The cases: `cases/*.yaml`, one file for each part of `flow_api`.

A file has a `title` and `cases`. A case has

    name      a sentence, unique in all files
    script    the flow that is run, with `handler(system, this)`
    flows     further flows: name and source, or name and a Flow's whole spec
    inputs    of the run
    answers   what people answer to messages: subject and response
    during    what happens from outside, in order: a list of {when: TEXT, do: WHAT}: when an entry
              of the log is TEXT, the run is asked to `cancel`, `pause` or `resume`
    expect    status, and where given reason, message, outputs, log, children

All flows of `flows.yaml` are there for every case. `message` is compared whole, after the hash at
the end of each execution's name has become `*`. `log` lists the texts of the script's own entries;
`children` the statuses of its children, in the order in which they were made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "cases"
FLOWS = Path(__file__).parent / "flows.yaml"


@dataclass(frozen=True)
class Step:
    """Something that is done to the run from outside."""

    when: str
    do: str


@dataclass(frozen=True)
class Case:
    """One script and how it must end."""

    name: str
    script: str
    expect: dict[str, Any]
    part: str
    flows: dict[str, dict[str, Any]] = field(default_factory=dict)  # name: spec
    inputs: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    during: tuple[Step, ...] = ()
    spec: dict[str, Any] = field(default_factory=dict)  # more of the run's Flow


def load() -> list[Case]:
    """Return all cases. Raises ValueError for one that is not as described above."""
    cases = [case for path in sorted(FOLDER.glob("*.yaml")) for case in _of(path)]
    names = [case.name for case in cases]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"these cases are there twice: {sorted(twice)}")
    return cases


def shared_flows() -> dict[str, dict[str, Any]]:
    """Return the flows that every case may run: name and spec."""
    return _flows(yaml.safe_load(FLOWS.read_text()))


def _of(path: Path) -> list[Case]:
    data = yaml.safe_load(path.read_text())
    cases = []
    for given in data["cases"]:
        known = dict(given)
        try:
            case = Case(
                name=known.pop("name"),
                script=known.pop("script"),
                expect=known.pop("expect"),
                part=path.stem,
                flows=_flows(known.pop("flows", {})),
                inputs=known.pop("inputs", {}),
                answers=known.pop("answers", {}),
                during=tuple(Step(**step) for step in known.pop("during", [])),
                spec=known.pop("spec", {}),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"{path.name}: {given.get('name')!r}: {error!r}") from None
        unknown = {*known, *case.expect} - {
            "status",
            "reason",
            "message",
            "outputs",
            "log",
            "children",
        }
        if unknown or "status" not in case.expect:
            raise ValueError(f"{path.name}: {case.name!r} has {sorted(unknown)} or no status")
        cases.append(case)
    return cases


def _flows(given: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        name: {"script": one} if isinstance(one, str) else dict(one) for name, one in given.items()
    }
