"""Which paths the patterns of `paths` choose."""

from __future__ import annotations

import pytest

from weir_connectors.git_tree import matcher


@pytest.mark.parametrize(
    ("pattern", "path", "chosen"),
    [
        pytest.param("a.py", "a.py", True, id="a file"),
        pytest.param("a.py", "b/a.py", False, id="a file elsewhere"),
        pytest.param("*.py", "a.py", True, id="a star"),
        pytest.param("*.py", "b/a.py", False, id="a star does not cross folders"),
        pytest.param("**/*.py", "a.py", True, id="two stars are also no folder"),
        pytest.param("**/*.py", "b/c/a.py", True, id="two stars are many folders"),
        pytest.param("b/**", "b/c/a.py", True, id="two stars at the end"),
        pytest.param("b", "b/c/a.py", True, id="a folder means what is in it"),
        pytest.param("b/", "b/c/a.py", True, id="a folder with a slash"),
        pytest.param("b", "bc/a.py", False, id="a folder's whole name counts"),
        pytest.param("?.py", "a.py", True, id="one character"),
        pytest.param("?.py", "ab.py", False, id="not two characters"),
        pytest.param("a.py", "aXpy", False, id="a dot is a dot"),
        pytest.param("[a].py", "[a].py", True, id="brackets are themselves"),
    ],
)
def test_a_pattern_chooses(pattern: str, path: str, chosen: bool) -> None:
    assert matcher([pattern])(path) is chosen


def test_without_patterns_all_is_chosen() -> None:
    assert matcher(None)("any/thing")
