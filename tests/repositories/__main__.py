"""Prints the table of bad repositories: each, and what became of it.

    python -m tests.repositories [--markdown] [WORD…]

With words only cases whose name has one of them. Exits with 1 if any is not as it must be.
"""

from __future__ import annotations

import argparse
import sys

from tests.repositories.cases import Case, load
from tests.repositories.outcomes import Outcome, differences, outcome


def lines_of(case: Case, seen: Outcome) -> list[str]:
    """Return what became of each file that was not taken."""
    told = [f"{one.path}: {one.reason}: {one.message}" for one in seen.rejected]
    return told or ["nothing is applied, and nothing deleted"]


def as_text(cases: list[Case]) -> int:
    """Print the table for a terminal; return how many are not as they must be."""
    wrong, title = 0, ""
    for case in cases:
        seen = outcome(case)
        found = differences(case, seen)
        if case.title != title:
            title = case.title
            print(f"\n{title}")
        print(f"{'✘' if found else '✔'} {case.name}")
        for line in [*lines_of(case, seen), *(f"✘ {one}" for one in found)]:
            print(f"    {line}")
        wrong += bool(found)
    print(f"\n{len(cases)} cases, {len(cases) - wrong} as they must be, {wrong} not")
    return wrong


def as_markdown(cases: list[Case]) -> int:
    """Print the table as it stands in docs/repositories_rejected.md."""
    for title in dict.fromkeys(case.title for case in cases):
        print(f"## {title}\n\n| what is wrong | what it gets |\n|---|---|")
        for case in cases:
            if case.title == title:
                print(f"| {case.name} | {_cell(case)} |")
        print()
    return sum(bool(differences(case, outcome(case))) for case in cases)


def _cell(case: Case) -> str:
    parts = [
        f"`{one.path}`: `{one.reason}`: {one.message}".replace("|", "\\|").replace("<", "&lt;")
        for one in outcome(case).rejected
    ]
    return "<br>".join(parts) or "nothing is applied, and nothing deleted"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.repositories", description=__doc__)
    parser.add_argument("words", nargs="*", help="only cases with one of these in their name")
    parser.add_argument("--markdown", action="store_true", help="as a table for docs/")
    arguments = parser.parse_args()
    cases = [
        case
        for case in load()
        if not arguments.words or any(word in case.name for word in arguments.words)
    ]
    return 1 if (as_markdown if arguments.markdown else as_text)(cases) else 0


if __name__ == "__main__":
    sys.exit(main())
