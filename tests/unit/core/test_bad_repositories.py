"""The table of bad repositories, see `python -m tests.repositories`."""

from pathlib import Path

import pytest

from tests.repositories.cases import Case, load
from tests.repositories.outcomes import differences, outcome

CASES = load()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_repository_gets_what_the_table_says(case: Case) -> None:
    assert differences(case, outcome(case)) == []


def test_each_case_has_a_name_of_its_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_the_page_has_the_table() -> None:
    page = (Path(__file__).parents[3] / "docs/repositories_rejected.md").read_text()
    assert [case.name for case in CASES if f"| {case.name} |" not in page] == []
