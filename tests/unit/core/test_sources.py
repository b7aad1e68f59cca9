import time

import pytest

from weir.api.reasons import Reason
from weir.api.repository import FlowRepositorySpec, PathRule
from weir.core.sources import FileKind, fits, kind_of, rejected

SPEC = FlowRepositorySpec(url="https://git.example.com/flows.git")


@pytest.mark.parametrize(
    ("path", "glob", "does"),
    [
        ("a.py", "**/*.py", True),
        ("a/b/c.py", "**/*.py", True),
        ("a/b.py", "*.py", False),
        ("a.py", "/a.py", True),
        ("a/b.py", "a/**", True),
        ("a/b/c.py", "a/*/c.py", True),
        ("a/b/b/c.py", "a/**/b/c.py", True),
        ("a/c.py", "a/**/c.py", True),
        ("a/x/d.py", "a/**/c.py", False),
        ("ab.py", "a?.py", True),
        ("a/b", "a?b", False),
        ("A.py", "a.py", False),
        ("a", "**/**/a", True),
        ("a.py.txt", "*.py", False),
    ],
)
def test_a_glob_fits_a_path(path: str, glob: str, does: bool) -> None:
    assert fits(path, glob) is does


def test_a_glob_made_to_be_slow_is_not() -> None:
    began = time.process_time()
    assert not fits("a/" * 400 + "b", "**/a/" * 100 + "c")
    assert not fits("a" * 1000, "*a" * 200 + "b")
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("reports/monthly.py", "Flow"),
        ("reports/test_monthly.py", None),
        ("reports/__init__.py", None),
        (".github/run.py", None),
        ("reports/.x.py", None),
        ("objects.yml", "Manifest"),
        ("reports/flow.yaml", "Options"),
        ("reports/monthly.flow.yaml", "Options"),
        ("workflow.yaml", "Manifest"),
        ("README.md", None),
    ],
)
def test_a_file_is_read_as_its_path_says(path: str, kind: FileKind | None) -> None:
    assert kind_of(path, SPEC) == kind


def test_the_first_rule_that_fits_holds() -> None:
    rules = [PathRule(glob="s/*.yaml", kind="Setting"), PathRule(glob="**", kind="Manifest")]
    spec = SPEC.model_copy(update={"paths": rules})
    assert kind_of("s/a.yaml", spec) == "Setting"
    assert kind_of("t/a.yaml", spec) == "Manifest"


def test_what_is_said_of_a_file_is_one_short_line() -> None:
    one = rejected("a\nb\x1b[31m.py", Reason.INVALID_NAME, "x\n" * 5000)
    assert one.path.isprintable()
    assert one.message.isprintable()
    assert len(one.message) == 1024
